-- What each run wrote into the books: documents, their sums by currency, how many of them were taken back, and when. Of a document that a run wrote several times the last word counts.
with written as (
    select distinct on (one.run, one.record_key)
        one.run,
        one.record_key,
        one.currency,
        one.amount,
        one.undone_by
    from counterfoil_state.intents as one
    where one.company = $1 and one.target = 'quickbooks' and one.state = 'accepted' and one.run <> ''
    order by one.run, one.record_key, one.planned desc
),

began as (
    select
        every.run,
        min(event.recorded_at) as began_at,
        max(event.recorded_at) as ended_at
    from counterfoil_state.intents as every
    inner join counterfoil_log.events as event
        on event.company = $1 and event.position in (every.planned, every.settled)
    where every.company = $1 and every.target = 'quickbooks' and every.state = 'accepted' and every.run <> ''
    group by every.run
)

select
    written.run,
    began.began_at,
    began.ended_at,
    written.currency,
    count(*) as documents,
    count(written.undone_by) as undone,
    sum(written.amount) as amount
from written
inner join began on written.run = began.run
group by written.run, began.began_at, began.ended_at, written.currency
order by began.began_at, written.run, written.currency
