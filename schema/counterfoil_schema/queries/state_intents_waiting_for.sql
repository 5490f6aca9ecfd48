-- Plans that have not gone out and wait for a document of one record, in their order.
select to_jsonb(found)
from counterfoil_state.intents as found
where found.company = $1 and found.state in ('ready', 'held') and found.needs @> array[$2::text]
order by found.planned, found.intent_id
limit $3
