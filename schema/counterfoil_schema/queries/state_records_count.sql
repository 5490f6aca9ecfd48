-- How many records a connection shows: company, `connection:`.
select count(*)
from counterfoil_state.records as found
where found.company = $1 and starts_with(found.record_key, $2)
