-- What the login may do about roles and schemas, before anything is created.
-- $1 owner role, $2 engine role, $3 log schema, $4 state schema
SELECT
    current_user::text AS login,
    current_database()::text AS database,
    me.rolsuper AS superuser,
    me.rolsuper OR me.rolcreaterole AS may_create_roles,
    has_database_privilege(current_database(), 'CREATE') AS may_create_schemas,
    (SELECT count(*) = 2 AND bool_and(pg_has_role(r.oid, 'MEMBER'))
     FROM pg_roles r WHERE r.rolname IN ($1::text, $2::text)) AS member_of_both,
    (SELECT count(*) = 2 FROM pg_namespace n WHERE n.nspname IN ($3::text, $4::text)) AS schemas_exist,
    (SELECT o.rolname::text FROM pg_namespace n JOIN pg_roles o ON o.oid = n.nspowner
     WHERE n.nspname = $3::text) AS log_owner
FROM pg_roles me
WHERE me.rolname = current_user
