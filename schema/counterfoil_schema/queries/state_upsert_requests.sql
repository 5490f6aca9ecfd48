-- Insert or replace rows of requests; $1 is a JSON array of them.
insert into counterfoil_state.requests (company, position, action, record_key, intent_id, author, taken, document)
select company, position, action, record_key, intent_id, author, taken, document
from jsonb_populate_recordset(null::counterfoil_state.requests, $1::jsonb)
on conflict (company, position) do update set
    action = excluded.action,
    record_key = excluded.record_key,
    intent_id = excluded.intent_id,
    author = excluded.author,
    taken = excluded.taken,
    document = excluded.document
