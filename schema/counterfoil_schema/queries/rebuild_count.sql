-- Rows of one company in one copy.
select counterfoil_state.count_fresh($1, $2)
