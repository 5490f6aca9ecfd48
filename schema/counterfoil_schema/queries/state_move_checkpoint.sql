-- Move the checkpoint, if it still stands where the fold began: two folders cannot both go on, after the projection was
-- emptied a folder that was further along begins anew, and so does one whose rows a rebuild has put right meanwhile.
insert into counterfoil_state.checkpoints as kept (company, position, state, error, moved_at)
select $1, $3, $4, $5, $6
where $2 = 0 or exists (select from counterfoil_state.checkpoints as known where known.company = $1)
on conflict (company) do update set
    position = excluded.position, state = excluded.state, error = excluded.error, moved_at = excluded.moved_at
where kept.position = $2 and kept.generation = $7
returning position
