-- Insert or replace rows of sources; $1 is a JSON array of them.
insert into counterfoil_state.sources (company, connection, refused, digest)
select company, connection, refused, digest
from jsonb_populate_recordset(null::counterfoil_state.sources, $1::jsonb)
on conflict (company, connection) do update set
    refused = excluded.refused,
    digest = excluded.digest
