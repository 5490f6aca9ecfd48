INSERT INTO counterfoil_state.sealing_keys (company, scope, generation, wrapped, wrapped_by)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
