-- Operators' requests that were not taken up yet.
select to_jsonb(found)
from counterfoil_state.requests as found
where found.company = $1 and found.taken is null
order by found.position
limit $2
