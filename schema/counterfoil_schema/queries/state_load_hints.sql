-- Rows of hints by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[], $3::text[], $4::text[]) as asked (connection, kind, source_id)
join counterfoil_state.hints as found
    on found.company = $1 and found.connection = asked.connection and found.kind = asked.kind and found.source_id = asked.source_id
