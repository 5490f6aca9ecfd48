-- Sealing keys that are wrapped under another master key than the present one.
SELECT company, scope, generation, wrapped, wrapped_by
FROM counterfoil_state.sealing_keys
WHERE wrapped IS NOT NULL AND wrapped_by <> $1
ORDER BY company, scope, generation
LIMIT $2
