-- Rows of requests by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[]) as asked (position)
join counterfoil_state.requests as found
    on found.company = $1 and found.position = asked.position::bigint
