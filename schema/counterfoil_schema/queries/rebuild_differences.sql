-- Rows in which one projection of a company and its copy differ.
select live, fresh from counterfoil_state.fresh_differences($1, $2)
