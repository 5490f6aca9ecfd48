-- Differences that are not cleared, in pages by what they are about: company, what and kind to go on after, rows.
select to_jsonb(drift)
from counterfoil_state.drifts as drift
where drift.company = $1 and drift.cleared is null and (drift.about, drift.kind) > ($2, $3)
order by drift.about, drift.kind
limit $4
