-- How many plans that have not gone out wait for a document of each of these records ($2).
select
    need.record_key,
    count(*) as plans
from counterfoil_state.intents as found
cross join lateral unnest(found.needs) as need (record_key)
where found.company = $1 and found.state in ('ready', 'held') and need.record_key = any($2::text [])
group by need.record_key
