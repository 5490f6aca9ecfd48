-- What the connection may do. $1 log schema, $2 state schema
WITH spaces AS (
    SELECT
        (SELECT oid FROM pg_namespace WHERE nspname = $1::text) AS log_oid,
        (SELECT oid FROM pg_namespace WHERE nspname = $2::text) AS state_oid
)
SELECT
    session_user::text AS login,
    current_user::text AS role,
    current_setting('server_version') AS server,
    s.log_oid IS NOT NULL AS log_exists,
    s.state_oid IS NOT NULL AS state_exists,
    coalesce(has_schema_privilege(s.log_oid, 'USAGE'), false) AS log_usage,
    coalesce(has_schema_privilege(s.state_oid, 'CREATE'), false) AS state_create,
    coalesce((SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = session_user), false) AS login_superuser,
    coalesce((SELECT pg_has_role(session_user, n.nspowner, 'MEMBER')
              FROM pg_namespace n WHERE n.oid = s.log_oid), false) AS login_owns_log,
    (SELECT coalesce(array_agg(c.oid::regclass::text ORDER BY c.relname), '{}')
     FROM pg_class c
     WHERE c.relnamespace = s.log_oid AND c.relkind IN ('r', 'p')
       AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')) AS writable
FROM spaces s
