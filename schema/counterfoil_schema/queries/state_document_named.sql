-- For each question (entity, name): the live document that bears the name.
select
    asked.place,
    found.document_id
from unnest($2::text [], $3::text []) with ordinality as asked (entity, name, place)
cross join lateral (
    select document.document_id
    from counterfoil_state.documents as document
    where
        document.company = $1 and document.entity = asked.entity
        and lower(document.name) = lower(asked.name) and document.status = 'live'
    order by document.document_id
    limit 1
) as found
