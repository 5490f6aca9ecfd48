-- Rows of payments by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[]) as asked (payment_id)
join counterfoil_state.payments as found
    on found.company = $1 and found.payment_id = asked.payment_id
