-- Insert or replace rows of mappings; $1 is a JSON array of them.
insert into counterfoil_state.mappings (company, connection, position, digest)
select company, connection, position, digest
from jsonb_populate_recordset(null::counterfoil_state.mappings, $1::jsonb)
on conflict (company, connection) do update set
    position = excluded.position,
    digest = excluded.digest
