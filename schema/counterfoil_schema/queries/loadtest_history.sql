-- What a company's sources brought from an instant on, by hour, connection and kind, and which documents it called for.
-- $2: from when; $3: entities that go one by one. `lines` of `lined` documents; a change without a document is quiet.
with observed as (
    select change."position", change.record_key, event.recorded_at
    from counterfoil_state.changes as change
    inner join counterfoil_log.events as event
        on event.company = change.company and event."position" = change."position"
    where
        change.company = $1
        and change.side = 'source'
        and change."position" > coalesce((
            select older."position" from counterfoil_log.events as older
            where older.company = $1 and older.recorded_at < $2
            order by older."position" desc
            limit 1
        ), 0)
),
planned as (
    select
        intent.change,
        count(*) filter (where intent.entity = any($3::text[]) and intent.operation = 'create') as singles_new,
        count(*) filter (where intent.entity = any($3::text[]) and intent.operation <> 'create') as singles_changed,
        count(*) filter (where intent.entity <> all($3::text[]) and intent.operation = 'create') as batched_new,
        count(*) filter (where intent.entity <> all($3::text[]) and intent.operation <> 'create') as batched_changed
    from counterfoil_state.intents as intent
    where intent.company = $1 and intent.target = 'quickbooks' and intent.state <> 'withdrawn'
    group by intent.change
)
select
    date_trunc('hour', observed.recorded_at, 'UTC') as hour,
    split_part(observed.record_key, ':', 1) as connection,
    split_part(observed.record_key, ':', 2) as kind,
    count(*) as changes,
    count(*) filter (where planned.change is null) as quiet,
    coalesce(sum(planned.singles_new), 0)::bigint as singles_new,
    coalesce(sum(planned.singles_changed), 0)::bigint as singles_changed,
    coalesce(sum(planned.batched_new), 0)::bigint as batched_new,
    coalesce(sum(planned.batched_changed), 0)::bigint as batched_changed,
    coalesce(sum(shown.lines), 0)::bigint as lines,
    count(*) filter (where shown.lines > 0) as lined
from observed
left join planned on planned.change = observed."position"
left join counterfoil_state.links as link
    on link.company = $1 and link.record_key = observed.record_key and planned.change is not null
left join lateral (select count(*) as lines from jsonb_object_keys(link.lines)) as shown on link.record_key is not null
group by 1, 2, 3
order by 1, 2, 3
