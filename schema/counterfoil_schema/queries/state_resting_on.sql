-- Living documents of ours that were written for other records (company, record keys) and name what stands for them:
-- the record named, and each document. Reads all intents of the company; asked only when an adoption is taken back.
select distinct need.record_key as named, link.record_key, link.entity, link.document_id
from counterfoil_state.intents as intent
cross join unnest(intent.needs) as need (record_key)
join counterfoil_state.links as link
    on link.company = intent.company and link.record_key = intent.record_key and link.status = 'live'
where
    intent.company = $1 and intent.state = 'accepted' and intent.target = 'quickbooks'
    and intent.needs && $2::text [] and need.record_key = any($2::text [])
order by need.record_key, link.record_key
