-- Whether the session may act as role $1 and does not yet.
SELECT coalesce((
    SELECT r.rolname <> current_user AND pg_has_role(session_user, r.oid, 'MEMBER')
    FROM pg_roles r
    WHERE r.rolname = $1::text
), false)
