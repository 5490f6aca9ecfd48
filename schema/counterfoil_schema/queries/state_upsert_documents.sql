-- Insert or replace rows of documents; $1 is a JSON array of them.
insert into counterfoil_state.documents (company, entity, document_id, position, sync_token, status, content_hash, record_key, name, created, merged_into, account_type)
select company, entity, document_id, position, sync_token, status, content_hash, record_key, name, created, merged_into, account_type
from jsonb_populate_recordset(null::counterfoil_state.documents, $1::jsonb)
on conflict (company, entity, document_id) do update set
    position = excluded.position,
    sync_token = excluded.sync_token,
    status = excluded.status,
    content_hash = excluded.content_hash,
    record_key = excluded.record_key,
    name = excluded.name,
    created = excluded.created,
    merged_into = excluded.merged_into,
    account_type = excluded.account_type
