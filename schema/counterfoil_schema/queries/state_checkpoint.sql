-- How far one company's log is folded.
select position, state, error, moved_at, generation from counterfoil_state.checkpoints where company = $1
