-- Only of the generation that was refused: what was stored since is another.
update counterfoil_state.source_tokens
set refused_at = $5
where company = $1 and connection = $2 and origin = $3 and generation = $4 and refused_at is null
