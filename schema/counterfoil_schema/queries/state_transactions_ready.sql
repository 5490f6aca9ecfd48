-- How many intents for the books wait to go out that are of none of these entities.
select count(*)
from counterfoil_state.intents as found
where
    found.company = $1
    and found.state = 'ready'
    and found.target = 'quickbooks'
    and found.entity <> all($2::text [])
