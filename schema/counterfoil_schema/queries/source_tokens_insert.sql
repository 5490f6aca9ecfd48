insert into counterfoil_state.source_tokens (
    company, connection, origin, generation, format_version, master_key, wrapped_key, ciphertext, access_expires_at,
    stored_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (company, connection, origin) do nothing
returning generation
