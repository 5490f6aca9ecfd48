-- Intents for the books that may go out now, oldest first: in these lanes, of these entities (or, if not $3, of all others; null: of any), without those that the caller names; whose needs have documents, whose record has nothing in flight, and which wait for no other to end.
select to_jsonb(found)
from counterfoil_state.intents as found
where
    found.company = $1
    and found.state = 'ready'
    and found.target = 'quickbooks'
    and ($3::boolean is null or (found.entity = any($2::text [])) = $3::boolean)
    and found.lane = any($4::text [])
    and found.intent_id <> all($5::text [])
    and not exists (
        select from unnest(found.needs) as need (record_key)
        where not exists (
            select from counterfoil_state.links as link
            where link.company = $1 and link.record_key = need.record_key and link.status = 'live'
        )
    )
    and not exists (
        select from unnest(found.waits_for) as awaited (intent_id)
        inner join counterfoil_state.intents as earlier
            on earlier.company = $1 and earlier.intent_id = awaited.intent_id
        where earlier.state not in ('accepted', 'withdrawn')
    )
    and not exists (
        select from counterfoil_state.intents as other
        where
            other.company = $1
            and other.record_key = found.record_key
            and other.target = found.target
            and other.intent_id <> found.intent_id
            and (
                other.state in ('sent', 'uncertain', 'refetch', 'adopt', 'reconnect')
                or (other.state in ('ready', 'held') and other.planned < found.planned)
            )
    )
order by found.planned, found.intent_id
limit $6
