-- Rows of settlements by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[], $3::text[]) as asked (invoice_id, payment_id)
join counterfoil_state.settlements as found
    on found.company = $1 and found.invoice_id = asked.invoice_id and found.payment_id = asked.payment_id
