-- The documents of a name list that were alive when last seen, with their names: company, entity.
select document_id, name, account_type
from counterfoil_state.documents
where company = $1 and entity = $2 and status = 'live' and name is not null
order by document_id
