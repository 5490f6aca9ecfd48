SELECT generation, format_version, master_key, wrapped_key, ciphertext
FROM counterfoil_state.tokens
WHERE company = $1
