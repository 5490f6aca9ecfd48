-- The destroyed key of somebody for whom none was ever made.
INSERT INTO counterfoil_state.sealing_keys (company, scope, generation, wrapped, wrapped_by, destroyed_at)
SELECT $1, $2, 1, NULL, $3, clock_timestamp()
WHERE NOT EXISTS (SELECT FROM counterfoil_state.sealing_keys AS known WHERE known.company = $1 AND known.scope = $2)
ON CONFLICT DO NOTHING
