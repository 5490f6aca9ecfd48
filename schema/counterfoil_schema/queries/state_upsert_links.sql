-- Insert or replace rows of links; $1 is a JSON array of them.
insert into counterfoil_state.links (company, record_key, entity, document_id, sync_token, content_hash, image, latest, sent, incarnation, status, doc_number, name_key, lines, shared_with, adopted, undone, renew, kept)
select company, record_key, entity, document_id, sync_token, content_hash, image, latest, sent, incarnation, status, doc_number, name_key, lines, shared_with, coalesce(adopted, false), coalesce(undone, ''), coalesce(renew, false), coalesce(kept, '{}')
from jsonb_populate_recordset(null::counterfoil_state.links, $1::jsonb)
on conflict (company, record_key) do update set
    entity = excluded.entity,
    document_id = excluded.document_id,
    sync_token = excluded.sync_token,
    content_hash = excluded.content_hash,
    image = excluded.image,
    latest = excluded.latest,
    sent = excluded.sent,
    incarnation = excluded.incarnation,
    status = excluded.status,
    doc_number = excluded.doc_number,
    name_key = excluded.name_key,
    lines = excluded.lines,
    shared_with = excluded.shared_with,
    adopted = excluded.adopted,
    undone = excluded.undone,
    renew = excluded.renew,
    kept = excluded.kept
