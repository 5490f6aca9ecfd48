SELECT state, since, realm_id, refreshed_at, access_expires_at, refresh_expires_at, hard_expires_at, warned_window, warned_end
FROM counterfoil_state.connections
WHERE company = $1
