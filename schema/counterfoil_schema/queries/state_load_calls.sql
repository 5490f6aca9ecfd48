-- Rows of calls by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[]) as asked (request_id)
join counterfoil_state.calls as found
    on found.company = $1 and found.request_id = asked.request_id
