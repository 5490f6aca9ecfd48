-- runs as: engine
--
-- What the limiter of each company shows of itself, so that a command can tell it beside a running engine; and the
-- metered reads by month, which must not be forgotten with the process that made them.

create table counterfoil_state.limiter_gauges (
    company bigint not null,
    metered jsonb not null,
    used integer not null,
    allowed integer not null,
    ceiling numeric not null,
    waiting jsonb not null,
    throttled bigint not null,
    waited_seconds numeric not null,
    paused_until timestamptz,
    saved_at timestamptz not null,
    primary key (company)
);
comment on table counterfoil_state.limiter_gauges is
    'operational: how each limiter stands, and the metered reads by month; lost, a month counts from now on';
