-- Documents of ours with their images and what was last wanted of them, in pages by record key: company, record key to
-- go on after, entities to leave out, rows.
select
    link.record_key,
    link.entity,
    link.status,
    link.image,
    link.latest,
    wanted.planned,
    wanted.operation
from counterfoil_state.links as link
cross join lateral (
    select intent.planned, intent.operation
    from counterfoil_state.intents as intent
    where
        intent.company = link.company
        and intent.record_key = link.record_key
        and intent.target = 'quickbooks'
        and intent.state = 'accepted'
    order by intent.planned desc
    limit 1
) as wanted
where link.company = $1 and link.record_key > $2 and link.entity <> all ($3) and link.status <> 'released'
order by link.record_key
limit $4
