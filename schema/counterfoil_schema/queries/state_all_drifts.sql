-- Every row of drifts of one company, in pages of keys, for the comparison with a fresh fold.
select to_jsonb(drift) from counterfoil_state.drifts as drift where drift.company = $1
