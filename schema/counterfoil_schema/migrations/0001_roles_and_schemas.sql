-- runs as: admin
--
-- Two roles that nobody logs in with, and a schema for each. The owner holds the log; the engine may read it and
-- call its functions (each migration grants what it adds), and owns nothing but its state. A login that may not
-- create roles runs all of this with itself in both places, where the statements below change nothing.
--
-- Names in literals go through to_regrole and the like, which read them as SQL does, quotes included.

DO $$
BEGIN
    IF to_regrole('counterfoil_owner') IS NULL THEN
        CREATE ROLE counterfoil_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
-- Roles belong to the whole server: another database may be making them at this moment.
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    IF to_regrole('counterfoil_engine') IS NULL THEN
        CREATE ROLE counterfoil_engine NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- From release 16 on, creating a role brings the right to grant it, not the right to act as it.
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        IF to_regrole('counterfoil_owner') <> current_user::regrole THEN
            GRANT counterfoil_owner TO CURRENT_USER;
        END IF;
        IF to_regrole('counterfoil_engine') <> current_user::regrole THEN
            GRANT counterfoil_engine TO CURRENT_USER;
        END IF;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    -- An administrator made the roles and us a member; that is enough, or the next statement says it is not.
    NULL;
END
$$;

CREATE SCHEMA IF NOT EXISTS counterfoil_log AUTHORIZATION counterfoil_owner;
CREATE SCHEMA IF NOT EXISTS counterfoil_state AUTHORIZATION counterfoil_engine;

REVOKE ALL ON SCHEMA counterfoil_log FROM PUBLIC;
REVOKE ALL ON SCHEMA counterfoil_state FROM PUBLIC;
GRANT USAGE ON SCHEMA counterfoil_log TO counterfoil_engine;
-- The owner's functions may look at state, never change it.
GRANT USAGE ON SCHEMA counterfoil_state TO counterfoil_owner;

SET LOCAL ROLE counterfoil_owner;

CREATE TABLE counterfoil_log.migrations (
    number integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    checksum bytea NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_by text NOT NULL DEFAULT session_user
);
-- Every table's comment begins with its class: log, keys, projection or operational.
COMMENT ON TABLE counterfoil_log.migrations IS 'operational: which schema changes this database has had';
GRANT SELECT ON counterfoil_log.migrations TO counterfoil_engine;
