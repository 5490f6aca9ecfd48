-- For each question (entity, name key, record): the other record of ours that bears the display name, by link or by an intent still open.
select
    asked.place,
    found.record_key
from unnest($2::text [], $3::text [], $4::text []) with ordinality as asked (entity, name_key, record_key, place)
cross join lateral (
    select named.record_key
    from (
        select link.record_key, link.latest as at
        from counterfoil_state.links as link
        where
            link.company = $1 and link.entity = asked.entity and link.name_key = asked.name_key
            and link.status = 'live'
        union all
        select intent.record_key, intent.planned as at
        from counterfoil_state.intents as intent
        where
            intent.company = $1 and intent.entity = asked.entity and intent.name_key = asked.name_key
            and intent.state in ('held', 'ready', 'sent', 'uncertain', 'reconnect', 'refetch', 'adopt')
    ) as named
    where named.record_key <> asked.record_key
    order by named.at
    limit 1
) as found
