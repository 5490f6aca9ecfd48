-- runs as: engine
--
-- What is known of the QuickBooks connections beside their tokens, which may lie in a vault elsewhere; and the
-- consents that were asked for and not answered yet.

create table counterfoil_state.connections (
    company bigint not null,
    state text not null check (state in ('connected', 'reconnect', 'disconnected')),
    since timestamptz not null,
    realm_id text not null,
    refreshed_at timestamptz,
    access_expires_at timestamptz,
    refresh_expires_at timestamptz,
    hard_expires_at timestamptz,
    warned_window integer,
    warned_end integer,
    primary key (company)
);
comment on table counterfoil_state.connections is
    'operational: how each QuickBooks connection stands, and which warnings of its end were given; written anew';

create table counterfoil_state.consents (
    state_hash bytea not null,
    company bigint not null,
    redirect_uri text not null,
    expires_at timestamptz not null,
    primary key (state_hash)
);
comment on table counterfoil_state.consents is
    'operational: consents that were asked for, by the hash of their state; each is used once, for minutes';
