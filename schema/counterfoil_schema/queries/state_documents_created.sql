-- Of each entity, the documents that are there as far as is known and were created from an instant to another:
-- company, from, to (UTC, to the second). An entity of which none was created then counts zero, if any is known.
select entity, count(*) filter (where created >= $2 and created < $3) as known
from counterfoil_state.documents
where company = $1 and status <> 'deleted'
group by entity
order by entity
