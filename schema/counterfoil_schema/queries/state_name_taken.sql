-- The record of ours that bears this display name, by link or by an intent still open.
select found.record_key
from (
    select link.record_key, link.latest as at
    from counterfoil_state.links as link
    where link.company = $1 and link.entity = $2 and link.name_key = $3 and link.status = 'live'
    union all
    select intent.record_key, intent.planned as at
    from counterfoil_state.intents as intent
    where
        intent.company = $1 and intent.entity = $2 and intent.name_key = $3
        and intent.state in ('held', 'ready', 'sent', 'uncertain', 'reconnect', 'refetch', 'adopt')
) as found
where found.record_key <> $4
order by found.at
limit 1
