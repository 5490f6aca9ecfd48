-- Every observed change of one record, oldest first.
select to_jsonb(found)
from counterfoil_state.changes as found
where found.company = $1 and found.record_key = $2
order by found.position
