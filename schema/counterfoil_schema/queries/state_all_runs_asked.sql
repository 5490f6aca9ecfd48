-- Every row of runs_asked of one company, in pages of keys, for the comparison with a fresh fold.
select to_jsonb(found) from counterfoil_state.runs_asked as found where found.company = $1
