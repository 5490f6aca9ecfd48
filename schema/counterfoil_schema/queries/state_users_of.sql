-- Living documents of ours that were made for some of these records, with the record that each needs: company, record keys. Reads all intents of the company; asked only before a record of a name list is made inactive.
select distinct
    needed.record_key as used,
    link.record_key,
    link.entity,
    link.document_id,
    link.doc_number
from unnest($2::text []) as needed (record_key)
inner join counterfoil_state.intents as intent
    on intent.company = $1 and intent.state = 'accepted' and needed.record_key = any(intent.needs)
inner join counterfoil_state.links as link
    on link.company = $1 and link.record_key = intent.record_key and link.status = 'live'
order by 1, 2
