select company, connection, origin, generation, format_version, master_key, wrapped_key, ciphertext
from counterfoil_state.source_tokens
where master_key <> $1
order by company, connection, origin
limit $2
