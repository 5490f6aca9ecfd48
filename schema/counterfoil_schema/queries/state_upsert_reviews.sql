-- Insert or replace rows of reviews; $1 is a JSON array of them.
insert into counterfoil_state.reviews (company, record_key, verdict, position)
select company, record_key, verdict, position
from jsonb_populate_recordset(null::counterfoil_state.reviews, $1::jsonb)
on conflict (company, record_key) do update set
    verdict = excluded.verdict,
    position = excluded.position
