-- Insert or replace rows of changes; $1 is a JSON array of them.
insert into counterfoil_state.changes (company, position, record_key, side, state, code, reason, fix, decided, intents, repair)
select company, position, record_key, side, state, code, reason, fix, decided, intents, repair
from jsonb_populate_recordset(null::counterfoil_state.changes, $1::jsonb)
on conflict (company, position) do update set
    record_key = excluded.record_key,
    side = excluded.side,
    state = excluded.state,
    code = excluded.code,
    reason = excluded.reason,
    fix = excluded.fix,
    decided = excluded.decided,
    intents = excluded.intents,
    repair = excluded.repair
