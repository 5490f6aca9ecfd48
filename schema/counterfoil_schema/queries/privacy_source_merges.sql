-- Source records that were merged into others of their kind.
select distinct merged.record_key, convert_from(merged.body, 'UTF8')::jsonb ->> 'merged_into' as merged_into
from counterfoil_log.events as merged
where
    merged.company = $1
    and merged.event_type = 'source.removed'
    and convert_from(merged.body, 'UTF8')::jsonb ->> 'merged_into' is not null
order by 1, 2
