-- Rows of reviews by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[]) as asked (record_key)
join counterfoil_state.reviews as found
    on found.company = $1 and found.record_key = asked.record_key
