-- The records that a document stands for, more than one after a merge in QuickBooks: company, entity, Id. Reads all links
-- of the company; asked only when a record of a name list is gone.
select record_key
from counterfoil_state.links
where company = $1 and entity = $2 and document_id = $3 and status <> 'released'
order by record_key
limit 1000
