-- The projections are those of this position from here on; whoever folded before begins anew.
update counterfoil_state.checkpoints
set position = $2, state = 'running', error = '', moved_at = $3, generation = generation + 1
where company = $1
