-- Insert or replace rows of recovered; $1 is a JSON array of them.
insert into counterfoil_state.recovered (company, entity, sign, documents, observed)
select company, entity, sign, documents, observed
from jsonb_populate_recordset(null::counterfoil_state.recovered, $1::jsonb)
on conflict (company, entity, sign) do update set
    documents = excluded.documents,
    observed = excluded.observed
