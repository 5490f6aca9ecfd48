-- The end of one company's rebuild.
select counterfoil_state.close_fresh($1)
