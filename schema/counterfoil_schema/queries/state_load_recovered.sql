-- Rows of recovered by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[], $3::text[]) as asked (entity, sign)
join counterfoil_state.recovered as found
    on found.company = $1 and found.entity = asked.entity and found.sign = asked.sign
