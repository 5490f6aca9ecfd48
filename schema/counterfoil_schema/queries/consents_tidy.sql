DELETE FROM counterfoil_state.consents WHERE expires_at < $1
