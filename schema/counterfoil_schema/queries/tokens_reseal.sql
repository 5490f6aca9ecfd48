-- Only what is still as it was read: a set that was refreshed meanwhile is newer.
UPDATE counterfoil_state.tokens
SET format_version = $4, master_key = $5, wrapped_key = $6, ciphertext = $7
WHERE company = $1 AND generation = $2 AND ciphertext = $3
