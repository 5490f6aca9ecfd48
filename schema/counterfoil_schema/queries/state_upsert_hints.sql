-- Insert or replace rows of hints; $1 is a JSON array of them.
insert into counterfoil_state.hints (company, connection, kind, source_id, operation, received, settled)
select company, connection, kind, source_id, operation, received, settled
from jsonb_populate_recordset(null::counterfoil_state.hints, $1::jsonb)
on conflict (company, connection, kind, source_id) do update set
    operation = excluded.operation,
    received = excluded.received,
    settled = excluded.settled
