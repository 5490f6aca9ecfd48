INSERT INTO counterfoil_state.tokens (
    company, generation, format_version, master_key, wrapped_key, ciphertext, access_expires_at, refresh_expires_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (company) DO NOTHING
RETURNING generation
