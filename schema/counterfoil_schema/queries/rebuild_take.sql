-- The copy's rows of one company become those of the projection.
select counterfoil_state.take_fresh($1, $2)
