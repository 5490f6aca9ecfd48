-- The checkpoint, so that nobody folds for as long as the transaction lasts.
select position, state, error, moved_at, generation from counterfoil_state.checkpoints where company = $1 for update
