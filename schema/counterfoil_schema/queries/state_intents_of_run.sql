-- Every intent of one run, in the order of their plans.
select to_jsonb(found)
from counterfoil_state.intents as found
where found.company = $1 and found.run = $2
order by found.planned, found.intent_id
