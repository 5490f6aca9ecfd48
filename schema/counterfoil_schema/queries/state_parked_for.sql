-- Changes that are parked for one of these reasons, after a position.
select to_jsonb(found)
from counterfoil_state.changes as found
where found.company = $1 and found.state = 'parked' and found.code = any($2::text []) and found.position > $3
order by found.position
limit $4
