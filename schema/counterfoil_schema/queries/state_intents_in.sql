-- Intents in the named states, in the order in which they were planned.
select to_jsonb(found)
from counterfoil_state.intents as found
where found.company = $1 and found.state = any($2::text[])
order by found.planned, found.intent_id
limit $3
