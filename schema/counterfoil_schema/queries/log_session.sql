-- What a writer must know of its connection, and what it must not leave to the database's defaults: an append
-- reads what was committed before it, and is durable when it is answered.
SELECT
    activity.pid,
    activity.backend_start,
    set_config('default_transaction_isolation', 'read committed', false),
    set_config(
        'synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
        false)
FROM pg_stat_activity AS activity
WHERE activity.pid = pg_backend_pid()
