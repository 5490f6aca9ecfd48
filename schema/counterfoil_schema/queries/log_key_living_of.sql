SELECT scope
FROM counterfoil_state.sealing_keys
WHERE company = $1 AND scope = any($2) AND destroyed_at IS NULL
ORDER BY scope
