-- How the tokens of a company's sources stand, the latest of each connection first; nothing of what is sealed.
select connection, origin, generation, access_expires_at, stored_at, refused_at
from counterfoil_state.source_tokens
where company = $1
order by connection, stored_at desc
