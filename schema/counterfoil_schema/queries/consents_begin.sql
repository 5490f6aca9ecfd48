INSERT INTO counterfoil_state.consents (state_hash, company, redirect_uri, expires_at) VALUES ($1, $2, $3, $4)
