-- Every merge in the books: what went, and what it went into: company. Reads all documents of the company; asked when a
-- holder takes over, and when a merge was recorded.
select entity, document_id, merged_into
from counterfoil_state.documents
where company = $1 and merged_into is not null
