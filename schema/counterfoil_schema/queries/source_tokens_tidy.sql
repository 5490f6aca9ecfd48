-- What came of refresh tokens that were configured before this one, and has rested for long.
delete from counterfoil_state.source_tokens
where company = $1 and connection = $2 and origin <> $3 and stored_at < $4
