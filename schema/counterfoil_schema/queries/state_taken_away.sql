-- Of each entity: documents of ours that are there; those that are planned to be taken away without a person's word
-- (after a position, or waiting for one), and how many of these are gone; and records gone at their source of which
-- nothing is decided yet. Company, position, hash of the body that makes inactive, intents and changes to leave out.
with there as (
    select link.entity, count(*) as documents
    from counterfoil_state.links as link
    where link.company = $1 and link.status = 'live' and link.shared_with is null
    group by link.entity
),

planned as (
    select
        intent.entity,
        count(*) as documents,
        count(*) filter (where intent.state = 'accepted' and intent.operation <> 'update') as carried_out
    from counterfoil_state.intents as intent
    where
        intent.company = $1
        and intent.target = 'quickbooks'
        and (intent.operation in ('void', 'delete') or (intent.operation = 'update' and intent.content_hash = $3))
        and intent.undoes = '{}'
        and intent.state not in ('withdrawn', 'parked')
        and (intent.planned > $2 or intent.state = 'held')
        and intent.intent_id <> all ($4::text[])
        and not exists (
            select from counterfoil_state.requests as request
            where
                request.company = $1
                and request.action = 'approve'
                and request.record_key = intent.record_key
                and request.position > intent.planned
        )
    group by intent.entity
),

pending as (
    select link.entity, count(*) as documents
    from counterfoil_state.changes as change
    inner join counterfoil_state.records as record
        on
            record.company = $1
            and record.record_key = change.record_key
            and record.position = change.position
            and record.removed
    inner join counterfoil_state.links as link
        on link.company = $1 and link.record_key = change.record_key and link.status = 'live'
    where
        change.company = $1
        and change.state = 'waiting'
        and change.code = 'decision'
        and change.position <> all ($5::bigint[])
    group by link.entity
)

select
    entity,
    coalesce(there.documents, 0) as there,
    coalesce(planned.documents, 0) as planned,
    coalesce(planned.carried_out, 0) as carried_out,
    coalesce(pending.documents, 0) as pending
from there
full join planned using (entity)
full join pending using (entity)
