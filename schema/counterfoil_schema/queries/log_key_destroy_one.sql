UPDATE counterfoil_state.sealing_keys
SET wrapped = NULL, destroyed_at = clock_timestamp()
WHERE company = $1 AND scope = $2 AND generation = $3 AND destroyed_at IS NULL
RETURNING generation
