-- What still has to go into the books, by entity.
select intent.entity, count(*) as intents
from counterfoil_state.intents as intent
where intent.company = $1 and intent.target = 'quickbooks' and intent.state in ('ready', 'sent', 'uncertain', 'refetch')
group by intent.entity
order by intent.entity
