-- Rows of documents by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[], $3::text[]) as asked (entity, document_id)
join counterfoil_state.documents as found
    on found.company = $1 and found.entity = asked.entity and found.document_id = asked.document_id
