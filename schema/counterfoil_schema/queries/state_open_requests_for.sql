-- Operators' requests for one action that are not taken up yet, oldest first: company, action, rows.
select to_jsonb(found)
from counterfoil_state.requests as found
where found.company = $1 and found.taken is null and found.action = $2
order by found.position
limit $3
