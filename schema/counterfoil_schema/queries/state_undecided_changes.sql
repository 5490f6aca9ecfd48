-- Changes that nobody has decided yet, oldest first.
select to_jsonb(found)
from counterfoil_state.changes as found
where found.company = $1 and found.state = 'waiting' and found.code = 'decision'
order by found.position
limit $2
