-- Say who works on a company; whoever finds the lock taken is told.
insert into counterfoil_state.works (company, what, holder, begun_at) values ($1, $2, $3, clock_timestamp())
on conflict (company) do update set what = excluded.what, holder = excluded.holder, begun_at = excluded.begun_at
