SELECT coalesce(max(generation), 0) AS last, coalesce(bool_or(destroyed_at IS NOT NULL), FALSE) AS destroyed
FROM counterfoil_state.sealing_keys
WHERE company = $1 AND scope = $2
