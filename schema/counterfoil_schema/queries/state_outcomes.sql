-- How many changes are in which state, and why; a queued one whose needs have no document waits for a dependency.
select
    change.state,
    case
        when change.state = 'waiting' and change.code = 'queued' and exists (
            select
            from counterfoil_state.intents as intent
            cross join unnest(intent.needs) as need (record_key)
            where
                intent.company = $1
                and intent.change = change.position
                and intent.record_key = change.record_key
                and not exists (
                    select from counterfoil_state.links as link
                    where link.company = $1 and link.record_key = need.record_key and link.status = 'live'
                )
        ) then 'dependency'
        else change.code
    end as code,
    count(*) as changes
from counterfoil_state.changes as change
where change.company = $1
group by 1, 2
order by 1, 2
