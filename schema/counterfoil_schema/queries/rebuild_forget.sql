-- Rows of a copy by key, which are about to be copied in anew.
select counterfoil_state.forget_fresh($1, $2, $3, $4, $5)
