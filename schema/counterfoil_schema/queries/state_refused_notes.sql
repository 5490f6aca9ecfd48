-- Notes that their source refused, of one record or of all, after a plan: the last word to that source about the record, and it does not stand there.
select to_jsonb(found)
from counterfoil_state.intents as found
where
    found.company = $1
    and found.state = 'parked'
    and found.operation = 'note'
    and ($2::text is null or found.record_key = $2)
    and found.planned > $3
    and not exists (
        select from counterfoil_state.intents as later
        where
            later.company = $1
            and later.record_key = found.record_key
            and later.target = found.target
            and later.operation in ('note', 'write_back')
            and later.planned > found.planned
            and later.state <> 'withdrawn'
    )
order by found.planned
limit $4
