-- Insert or replace rows of intents; $1 is a JSON array of them.
insert into counterfoil_state.intents (company, intent_id, change, record_key, target, entity, operation, state, lane, needs, content_hash, planned, doc_number, name_key, amount, currency, generation, attempts, request_id, sent, settled, code, reason, fix, run, undoes, undone_by, waits_for)
select company, intent_id, change, record_key, target, entity, operation, state, lane, needs, content_hash, planned, doc_number, name_key, amount, currency, generation, attempts, request_id, sent, settled, code, reason, fix, coalesce(run, ''), coalesce(undoes, '{}'), undone_by, coalesce(waits_for, '{}')
from jsonb_populate_recordset(null::counterfoil_state.intents, $1::jsonb)
on conflict (company, intent_id) do update set
    change = excluded.change,
    record_key = excluded.record_key,
    target = excluded.target,
    entity = excluded.entity,
    operation = excluded.operation,
    state = excluded.state,
    lane = excluded.lane,
    needs = excluded.needs,
    content_hash = excluded.content_hash,
    planned = excluded.planned,
    doc_number = excluded.doc_number,
    name_key = excluded.name_key,
    amount = excluded.amount,
    currency = excluded.currency,
    generation = excluded.generation,
    attempts = excluded.attempts,
    request_id = excluded.request_id,
    sent = excluded.sent,
    settled = excluded.settled,
    code = excluded.code,
    reason = excluded.reason,
    fix = excluded.fix,
    run = excluded.run,
    undoes = excluded.undoes,
    undone_by = excluded.undone_by,
    waits_for = excluded.waits_for
