-- Every row of reviews of one company, in pages of keys, for the comparison with a fresh fold.
select to_jsonb(found) from counterfoil_state.reviews as found where found.company = $1
