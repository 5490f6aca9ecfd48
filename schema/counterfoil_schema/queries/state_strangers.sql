-- Living documents of these entities ($2) that come from no source of ours, in pages after an entity and an Id ($3, $4).
select found.entity, found.document_id, found.position
from counterfoil_state.documents as found
where
    found.company = $1
    and found.record_key is null
    and found.status = 'live'
    and found.entity = any($2::text [])
    and (found.entity, found.document_id) > ($3, $4)
order by found.entity, found.document_id
limit $5
