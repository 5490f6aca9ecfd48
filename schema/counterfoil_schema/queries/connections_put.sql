INSERT INTO counterfoil_state.connections AS kept (
    company, state, since, realm_id, refreshed_at, access_expires_at, refresh_expires_at, hard_expires_at,
    warned_window, warned_end
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (company) DO UPDATE
SET state = excluded.state,
    since = excluded.since,
    realm_id = excluded.realm_id,
    refreshed_at = excluded.refreshed_at,
    access_expires_at = excluded.access_expires_at,
    refresh_expires_at = excluded.refresh_expires_at,
    hard_expires_at = excluded.hard_expires_at,
    warned_window = excluded.warned_window,
    warned_end = excluded.warned_end
