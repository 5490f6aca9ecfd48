-- Rows of drifts by key; one array of texts for each part of the key.
select to_jsonb(drift)
from unnest($2::text[], $3::text[]) as asked (about, kind)
join counterfoil_state.drifts as drift
    on drift.company = $1 and drift.about = asked.about and drift.kind = asked.kind
