-- For each question (entity, name): the live document that bears the name, or that what bore it was merged into.
select
    asked.place,
    found.document_id
from unnest($2::text [], $3::text []) with ordinality as asked (entity, name, place)
cross join lateral (
    with recursive bearers as (
        select
            document.document_id,
            document.status,
            document.merged_into,
            0 as merges
        from counterfoil_state.documents as document
        where
            document.company = $1 and document.entity = asked.entity
            and lower(document.name) = lower(asked.name)
            and (document.status = 'live' or document.merged_into is not null)
        union all
        select
            document.document_id,
            document.status,
            document.merged_into,
            bearers.merges + 1
        from bearers
        join counterfoil_state.documents as document
            on
                document.company = $1 and document.entity = asked.entity
                and document.document_id = bearers.merged_into
        where bearers.status <> 'live' and bearers.merges < 10
    )

    select bearers.document_id
    from bearers
    where bearers.status = 'live'
    order by bearers.merges, bearers.document_id
    limit 1
) as found
