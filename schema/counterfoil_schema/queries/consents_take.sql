DELETE FROM counterfoil_state.consents WHERE state_hash = $1 RETURNING company, redirect_uri, expires_at
