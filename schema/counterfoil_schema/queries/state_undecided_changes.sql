-- Changes after a position ($2) that nobody has decided yet, oldest first.
select to_jsonb(found)
from counterfoil_state.changes as found
where found.company = $1 and found.state = 'waiting' and found.code = 'decision' and found.position > $2
order by found.position
limit $3
