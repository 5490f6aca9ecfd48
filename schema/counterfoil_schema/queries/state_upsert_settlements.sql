-- Insert or replace rows of settlements; $1 is a JSON array of them.
insert into counterfoil_state.settlements (company, invoice_id, payment_id, cash, credited, unapplied, dated)
select company, invoice_id, payment_id, cash, credited, unapplied, dated
from jsonb_populate_recordset(null::counterfoil_state.settlements, $1::jsonb)
on conflict (company, invoice_id, payment_id) do update set
    cash = excluded.cash,
    credited = excluded.credited,
    unapplied = excluded.unapplied,
    dated = excluded.dated
