SELECT coalesce(max(generation), 0) FROM counterfoil_state.sealing_keys WHERE company = $1 AND scope = $2
