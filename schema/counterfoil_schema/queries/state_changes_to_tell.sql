-- Newest changes of records whose keys begin with one of these, of which the source is yet to be told: it is parked, and nothing was said since; or it no longer is, and the source still shows a problem.
with standing as (
    select
        change.*,
        record.told
    from counterfoil_state.changes as change
    inner join counterfoil_state.records as record
        on
            record.company = $1
            and record.record_key = change.record_key
            and record.position = change.position
    where change.company = $1 and change.state = 'parked' and not record.removed
)

select to_jsonb(parked)
from standing as parked
left join lateral (
    select max(intent.settled) as settled
    from counterfoil_state.intents as intent
    where
        intent.company = $1
        and intent.record_key = parked.record_key
        and intent.change = parked.position
        and intent.operation <> 'note'
        and intent.state = 'parked'
) as refused on true
where
    exists (select from unnest($2::text []) as beginning (text) where starts_with(parked.record_key, beginning.text))
    and coalesce(parked.told <= greatest(parked.decided, refused.settled), true)
union all
select to_jsonb(change)
from counterfoil_state.records as record
inner join counterfoil_state.changes as change
    on change.company = $1 and change.position = record.position
where
    record.company = $1
    and record.told is not null
    and not record.removed
    and exists (select from unnest($2::text []) as beginning (text) where starts_with(record.record_key, beginning.text))
    and (change.state in ('applied', 'unchanged', 'skipped') or change.code = 'approval')
limit $3
