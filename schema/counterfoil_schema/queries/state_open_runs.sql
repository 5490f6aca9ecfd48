-- Runs of a kind ($2) that a person asked for and nobody has planned yet, oldest first.
select to_jsonb(found)
from counterfoil_state.runs_asked as found
where found.company = $1 and found.kind = $2 and found.taken is null
order by found.asked
limit $3
