-- What a company's limiter shows of itself.
insert into counterfoil_state.limiter_gauges (
    company, metered, used, allowed, ceiling, waiting, throttled, waited_seconds, paused_until, saved_at
)
values ($1, $2::jsonb, $3, $4, $5, $6::jsonb, $7, $8, $9, $10)
on conflict (company) do update set
    metered = excluded.metered,
    used = excluded.used,
    allowed = excluded.allowed,
    ceiling = excluded.ceiling,
    waiting = excluded.waiting,
    throttled = excluded.throttled,
    waited_seconds = excluded.waited_seconds,
    paused_until = excluded.paused_until,
    saved_at = excluded.saved_at
