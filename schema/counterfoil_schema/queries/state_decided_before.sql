-- What was decided of a source's records before a position and has not gone out: newest change of each record, oldest first; what a person decided, or nobody can read, is left alone.
select to_jsonb(change)
from counterfoil_state.changes as change
join counterfoil_state.records as record
    on record.company = change.company and record.record_key = change.record_key and record.position = change.position
where
    change.company = $1
    and change.side = 'source'
    and starts_with(change.record_key, $2 || ':')
    and change.state in ('waiting', 'parked', 'skipped')
    and change.code not in ('operator', 'superseded', 'left-out', 'undecided', 'unreadable')
    and change.decided < $3
    and not exists (
        select from counterfoil_state.intents as intent
        where
            intent.company = $1 and intent.intent_id = any(array(select jsonb_object_keys(change.intents)))
            and intent.state in ('sent', 'uncertain', 'refetch', 'adopt', 'accepted')
    )
order by change.position
limit $4
