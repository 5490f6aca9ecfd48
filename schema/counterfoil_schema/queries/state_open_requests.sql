-- Operators' requests that were not taken up yet, but for repairs, for which both sides are read first.
select to_jsonb(found)
from counterfoil_state.requests as found
where found.company = $1 and found.taken is null and found.action <> 'repair'
order by found.position
limit $2
