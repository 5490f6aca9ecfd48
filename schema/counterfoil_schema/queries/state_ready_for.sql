-- Intents that may go out now, of one side ($2: the books', else the sources'; null: of both): whose needs have documents, whose record has nothing in flight, and which wait for no other to end.
select to_jsonb(found)
from counterfoil_state.intents as found
where
    found.company = $1
    and found.state = 'ready'
    and ($2::boolean is null or (found.target = 'quickbooks') = $2::boolean)
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
order by array_position(array['live', 'retry', 'backfill', 'reconcile'], found.lane), found.planned, found.intent_id
limit $3
