-- For each question (entity, document number, record): the other record of ours that bears the number, by an intent that was sent or still may be.
select
    asked.place,
    found.record_key
from unnest($2::text [], $3::text [], $4::text []) with ordinality as asked (entity, doc_number, record_key, place)
cross join lateral (
    select intent.record_key
    from counterfoil_state.intents as intent
    where
        intent.company = $1 and intent.entity = asked.entity and intent.doc_number = asked.doc_number
        and intent.record_key <> asked.record_key
        and intent.state in ('held', 'ready', 'sent', 'uncertain', 'reconnect', 'refetch', 'adopt', 'accepted')
    order by intent.planned
    limit 1
) as found
