-- Documents of one entity that stand for records, with what was last carried out for them, in pages by record key:
-- company, entity, record key to go on after, rows.
select
    link.record_key,
    link.document_id,
    link.status,
    link.shared_with,
    link.incarnation,
    wanted.planned,
    wanted.operation,
    wanted.change
from counterfoil_state.links as link
left join lateral (
    select intent.planned, intent.operation, intent.change
    from counterfoil_state.intents as intent
    where
        intent.company = link.company
        and intent.record_key = link.record_key
        and intent.target = 'quickbooks'
        and intent.state = 'accepted'
    order by intent.planned desc
    limit 1
) as wanted on true
where link.company = $1 and link.entity = $2 and link.status <> 'released' and link.record_key > $3
order by link.record_key
limit $4
