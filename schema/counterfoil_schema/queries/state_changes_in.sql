-- Changes in one state after a position.
select to_jsonb(found)
from counterfoil_state.changes as found
where found.company = $1 and found.state = $2 and found.position > $3
order by found.position
limit $4
