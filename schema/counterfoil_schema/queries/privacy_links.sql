-- Links of people: of these records, of what is shared with them, or to these documents (Entity:Id).
select link.record_key, link.entity, link.document_id, link.shared_with
from counterfoil_state.links as link
where
    link.company = $1
    and link.entity = any($4::text[])
    and (
        link.record_key = any($2::text[])
        or link.shared_with = any($2::text[])
        or link.entity || ':' || link.document_id = any($3::text[])
    )
order by link.record_key
