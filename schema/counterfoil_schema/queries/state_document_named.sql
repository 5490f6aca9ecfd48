-- The live document of an entity that bears this name.
select found.document_id
from counterfoil_state.documents as found
where found.company = $1 and found.entity = $2 and lower(found.name) = lower($3) and found.status = 'live'
order by found.document_id
limit 1
