-- Documents (Entity:Id) that were merged into one of these, or that these were merged into.
select gone.entity, gone.document_id, gone.merged_into
from counterfoil_state.documents as gone
where
    gone.company = $1
    and gone.merged_into is not null
    and (
        gone.entity || ':' || gone.document_id = any($2::text[])
        or gone.entity || ':' || gone.merged_into = any($2::text[])
    )
order by gone.entity, gone.document_id
