-- Every row of companies of one company, in pages of keys, for the comparison with a fresh fold.
select to_jsonb(found) from counterfoil_state.companies as found where found.company = $1
