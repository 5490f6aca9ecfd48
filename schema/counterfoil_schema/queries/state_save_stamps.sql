-- Keep the limiter's stamps for a restart.
insert into counterfoil_state.limiter_stamps (company, stamps, saved_at)
values ($1, $2::jsonb, $3)
on conflict (company) do update set stamps = excluded.stamps, saved_at = excluded.saved_at
