-- The accounts that the books hold, with names and types.
select found.document_id, found.name, found.account_type
from counterfoil_state.documents as found
where found.company = $1 and found.entity = 'Account'
