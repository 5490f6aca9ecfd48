-- Every intent of one record, and those that its changes planned for further documents under keys of their own, oldest first.
with wanted as (
    select own.intent_id
    from counterfoil_state.intents as own
    where own.company = $1 and own.record_key = $2
    union
    select planned.intent_id
    from counterfoil_state.changes as change
    cross join lateral jsonb_object_keys(change.intents) as planned (intent_id)
    where change.company = $1 and change.record_key = $2
)

select to_jsonb(found)
from wanted
inner join counterfoil_state.intents as found on wanted.intent_id = found.intent_id
where found.company = $1
order by found.planned, found.intent_id
