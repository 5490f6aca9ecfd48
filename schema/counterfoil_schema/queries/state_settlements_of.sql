-- What settles one invoice.
select to_jsonb(found)
from counterfoil_state.settlements as found
where found.company = $1 and found.invoice_id = $2
order by found.dated, found.payment_id
