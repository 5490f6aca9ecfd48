-- runs as: engine
--
-- The keys under which personal and raw parts of events are sealed. Apart from the log, with a backup of its own,
-- because destroying a key is how a person is erased: a key that comes back with an old backup undoes that.

CREATE TABLE counterfoil_state.sealing_keys (
    company bigint NOT NULL,
    scope text NOT NULL,
    generation integer NOT NULL CHECK (generation > 0),
    wrapped bytea,
    wrapped_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz,
    PRIMARY KEY (company, scope, generation),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
COMMENT ON TABLE counterfoil_state.sealing_keys IS
    'keys: data keys, each wrapped under the master key; a destroyed one keeps its row and loses its bytes';

-- One living key for each scope, whoever else is making one at this moment.
CREATE UNIQUE INDEX sealing_keys_living ON counterfoil_state.sealing_keys (company, scope) WHERE destroyed_at IS NULL;
