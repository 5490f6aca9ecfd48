-- Insert or replace rows of calls; $1 is a JSON array of them.
insert into counterfoil_state.calls (company, request_id, target, sent, attempts, body_hash, open_items)
select company, request_id, target, sent, attempts, body_hash, open_items
from jsonb_populate_recordset(null::counterfoil_state.calls, $1::jsonb)
on conflict (company, request_id) do update set
    target = excluded.target,
    sent = excluded.sent,
    attempts = excluded.attempts,
    body_hash = excluded.body_hash,
    open_items = excluded.open_items
