-- Insert or replace rows of erasures; $1 is a JSON array of them.
insert into counterfoil_state.erasures (company, subject, position, erased_on, is_person)
select company, subject, position, erased_on, is_person
from jsonb_populate_recordset(null::counterfoil_state.erasures, $1::jsonb)
on conflict (company, subject) do update set
    position = excluded.position,
    erased_on = excluded.erased_on,
    is_person = excluded.is_person
