-- Insert or replace rows of records; $1 is a JSON array of them.
insert into counterfoil_state.records (company, record_key, kind, position, version, content_hash, removed, told)
select company, record_key, kind, position, version, content_hash, removed, told
from jsonb_populate_recordset(null::counterfoil_state.records, $1::jsonb)
on conflict (company, record_key) do update set
    kind = excluded.kind,
    position = excluded.position,
    version = excluded.version,
    content_hash = excluded.content_hash,
    removed = excluded.removed,
    told = excluded.told
