-- Every intent of these records, oldest first.
select to_jsonb(found)
from counterfoil_state.intents as found
where found.company = $1 and found.record_key = any($2::text [])
order by found.planned, found.intent_id
