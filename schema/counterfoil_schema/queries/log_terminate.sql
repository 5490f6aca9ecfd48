-- Ends the backend of a lost connection and says whether it is gone: until then its transaction may still commit.
-- A process id may have passed to another backend by now, which its later start gives away.
SELECT coalesce(bool_and(pg_terminate_backend(activity.pid, $3)), true)
FROM pg_stat_activity AS activity
WHERE activity.pid = $1 AND activity.backend_start = $2
