SELECT generation, wrapped, wrapped_by
FROM counterfoil_state.sealing_keys
WHERE company = $1 AND scope = $2 AND destroyed_at IS NULL
