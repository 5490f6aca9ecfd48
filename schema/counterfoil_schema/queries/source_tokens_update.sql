update counterfoil_state.source_tokens
set generation = $4,
    format_version = $5,
    master_key = $6,
    wrapped_key = $7,
    ciphertext = $8,
    access_expires_at = $9,
    stored_at = $10,
    refused_at = null
where company = $1 and connection = $2 and origin = $3 and generation = $4 - 1
returning generation
