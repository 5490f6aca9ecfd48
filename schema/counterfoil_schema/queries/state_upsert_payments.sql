-- Insert or replace rows of payments; $1 is a JSON array of them.
insert into counterfoil_state.payments (company, payment_id, position, status, invoices, unapplied)
select company, payment_id, position, status, invoices, unapplied
from jsonb_populate_recordset(null::counterfoil_state.payments, $1::jsonb)
on conflict (company, payment_id) do update set
    position = excluded.position,
    status = excluded.status,
    invoices = excluded.invoices,
    unapplied = excluded.unapplied
