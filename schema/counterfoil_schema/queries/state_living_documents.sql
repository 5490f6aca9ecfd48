-- Ids of documents of one entity that were alive when last seen, in pages by Id: company, entity, Id to go on after, rows.
select document_id
from counterfoil_state.documents
where company = $1 and entity = $2 and status = 'live' and document_id > $3
order by document_id
limit $4
