-- A few living documents of ours that were made for a record, such as a customer's invoices, the newest first, with their
-- images: company, record key. Reads all intents of the company; asked only when a record of a name list is gone.
select link.entity, link.document_id, link.image
from counterfoil_state.links as link
where
    link.company = $1 and link.status = 'live' and link.record_key in (
        select intent.record_key
        from counterfoil_state.intents as intent
        where intent.company = $1 and $2 = any (intent.needs) and intent.state = 'accepted'
    )
order by link.image desc
limit 5
