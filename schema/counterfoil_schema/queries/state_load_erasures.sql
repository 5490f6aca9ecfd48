-- Rows of erasures by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[]) as asked (subject)
join counterfoil_state.erasures as found
    on found.company = $1 and found.subject = asked.subject
