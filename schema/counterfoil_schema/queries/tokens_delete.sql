DELETE FROM counterfoil_state.tokens WHERE company = $1
