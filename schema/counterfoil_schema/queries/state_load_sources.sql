-- Rows of sources by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[]) as asked (connection)
join counterfoil_state.sources as found
    on found.company = $1 and found.connection = asked.connection
