-- The tokens of the QuickBooks connections, each row encrypted under a data key of its own.
-- The engine owns the table: it stores what Intuit hands back, and rotates it.

SET LOCAL ROLE counterfoil_engine;

CREATE TABLE counterfoil_state.tokens (
    company bigint NOT NULL,
    generation bigint NOT NULL CHECK (generation > 0),
    format_version smallint NOT NULL,
    master_key text NOT NULL,
    wrapped_key bytea NOT NULL,
    ciphertext bytea NOT NULL,
    access_expires_at timestamptz NOT NULL,
    refresh_expires_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (company)
);
COMMENT ON TABLE counterfoil_state.tokens IS
    'keys: OAuth tokens by company, sealed; a company without a row is not connected. Never derived from the log.';
