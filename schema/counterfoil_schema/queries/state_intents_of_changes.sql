-- Every intent that the changes of one record planned, for its own document or for further ones, and every other intent of the record, oldest first.
select to_jsonb(found)
from counterfoil_state.intents as found
where
    found.company = $1
    and (
        found.record_key = $2
        or found.intent_id in (
            select planned.intent_id
            from counterfoil_state.changes as change
            cross join lateral jsonb_object_keys(change.intents) as planned (intent_id)
            where change.company = $1 and change.record_key = $2
        )
    )
order by found.planned, found.intent_id
