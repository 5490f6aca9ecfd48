-- runs as: engine
--
-- Tokens that sources hand out (OAuth), each row encrypted under a data key of its own. A configured refresh token
-- begins a chain of generations: whoever configures another begins anew, and a process that still works with the
-- former one disturbs nothing.

create table counterfoil_state.source_tokens (
    company bigint not null,
    connection text not null,
    origin bytea not null,
    generation bigint not null check (generation > 0),
    format_version smallint not null,
    master_key text not null,
    wrapped_key bytea not null,
    ciphertext bytea not null,
    access_expires_at timestamptz,
    stored_at timestamptz not null,
    refused_at timestamptz,
    primary key (company, connection, origin)
);
comment on table counterfoil_state.source_tokens is
    'keys: OAuth tokens of sources, sealed, by company, connection and the refresh token they came of; from no event';
