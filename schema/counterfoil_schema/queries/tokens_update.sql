UPDATE counterfoil_state.tokens
SET generation = $2,
    format_version = $3,
    master_key = $4,
    wrapped_key = $5,
    ciphertext = $6,
    access_expires_at = $7,
    refresh_expires_at = $8,
    stored_at = clock_timestamp()
WHERE company = $1 AND generation = $2 - 1
RETURNING generation
