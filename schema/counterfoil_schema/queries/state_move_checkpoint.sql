-- Move the checkpoint, if it still stands where the fold began: two folders cannot both go on.
insert into counterfoil_state.checkpoints as kept (company, position, state, error, moved_at)
values ($1, $3, $4, $5, $6)
on conflict (company) do update set
    position = excluded.position, state = excluded.state, error = excluded.error, moved_at = excluded.moved_at
where kept.position = $2
returning position
