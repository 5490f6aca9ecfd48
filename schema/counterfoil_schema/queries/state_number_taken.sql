-- The record of ours that bears this document number, by an intent that was sent or still may be.
select intent.record_key
from counterfoil_state.intents as intent
where
    intent.company = $1 and intent.entity = $2 and intent.doc_number = $3 and intent.record_key <> $4
    and intent.state in ('held', 'ready', 'sent', 'uncertain', 'reconnect', 'refetch', 'adopt', 'accepted')
order by intent.planned
limit 1
