-- A few living documents of ours that were made for a record, such as a customer's invoices, the newest first: company,
-- record key. Reads all intents of the company; asked only when a party is gone from the books.
select link.entity, link.document_id
from counterfoil_state.intents as intent
join counterfoil_state.links as link on link.company = intent.company and link.record_key = intent.record_key
where intent.company = $1 and $2 = any (intent.needs) and intent.state = 'accepted' and link.status = 'live'
order by intent.planned desc
limit 2
