-- Remember where reading a source goes on.
insert into counterfoil_state.cursors (company, connection, kind, cursor, moved_at)
values ($1, $2, $3, $4, $5)
on conflict (company, connection, kind) do update set cursor = excluded.cursor, moved_at = excluded.moved_at
