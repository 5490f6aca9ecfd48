-- The records whose intents went out last under one request id.
select distinct found.record_key
from counterfoil_state.intents as found
where found.company = $1 and found.request_id = $2
order by found.record_key
