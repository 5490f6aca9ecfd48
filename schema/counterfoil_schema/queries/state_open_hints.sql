-- Hints that were not followed yet, oldest first.
select to_jsonb(found)
from counterfoil_state.hints as found
where found.company = $1 and found.settled is null
order by found.received, found.connection, found.kind, found.source_id
limit $2
