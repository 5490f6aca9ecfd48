-- Keys and numbers that a mistyped one may have meant.
(
    select found.record_key as known
    from counterfoil_state.records as found
    where found.company = $1 and found.record_key ilike $2
    order by found.record_key
    limit 2000
)
union all
(
    select found.entity || ' ' || found.document_id
    from counterfoil_state.documents as found
    where found.company = $1 and found.entity || ' ' || found.document_id ilike $2
    order by found.entity, found.document_id
    limit 2000
)
union all
(
    select distinct found.doc_number
    from counterfoil_state.links as found
    where found.company = $1 and found.doc_number ilike $2
    limit 2000
)
