-- Every row of recovered of one company, in pages of keys, for the comparison with a fresh fold.
select to_jsonb(found) from counterfoil_state.recovered as found where found.company = $1
