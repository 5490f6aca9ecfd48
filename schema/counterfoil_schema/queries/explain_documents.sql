-- Documents of the books by their id, whatever the case of the entity's name; null stands for any entity.
select found.entity, found.document_id, found.record_key
from counterfoil_state.documents as found
where
    found.company = $1
    and ($2::text is null or lower(found.entity) = lower($2))
    and found.document_id = $3
order by found.entity
limit 20
