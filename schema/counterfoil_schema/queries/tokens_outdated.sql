SELECT company, generation, format_version, master_key, wrapped_key, ciphertext
FROM counterfoil_state.tokens
WHERE master_key <> $1
ORDER BY company
LIMIT $2
