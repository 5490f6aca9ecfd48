-- Only what is still as it was read: a set that was renewed meanwhile is newer.
update counterfoil_state.source_tokens
set format_version = $5, master_key = $6, wrapped_key = $7, ciphertext = $8
where company = $1 and connection = $2 and origin = $3 and generation = $4 and ciphertext = $9
