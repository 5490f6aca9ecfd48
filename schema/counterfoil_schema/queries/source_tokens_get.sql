select generation, format_version, master_key, wrapped_key, ciphertext
from counterfoil_state.source_tokens
where company = $1 and connection = $2 and origin = $3
