-- For each account, by its Id or, where that is empty, by its name: its AccountType.
select
    asked.place,
    found.account_type
from unnest($2::text [], $3::text []) with ordinality as asked (document_id, name, place)
cross join lateral (
    select document.account_type
    from counterfoil_state.documents as document
    where
        document.company = $1 and document.entity = 'Account' and document.status = 'live'
        and (document.document_id = asked.document_id or lower(document.name) = lower(nullif(asked.name, '')))
        and document.account_type is not null
    order by document.document_id
    limit 1
) as found
