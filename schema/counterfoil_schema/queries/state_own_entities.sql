-- Entities of which documents stand for records: company.
select link.entity
from counterfoil_state.links as link
where link.company = $1 and link.status <> 'released'
group by link.entity
order by link.entity
