-- Insert or replace rows of drifts; $1 is a JSON array of them.
insert into counterfoil_state.drifts (company, about, kind, entity, digest, found, document_id, amount, currency, cleared)
select company, about, kind, entity, digest, found, document_id, amount, currency, cleared
from jsonb_populate_recordset(null::counterfoil_state.drifts, $1::jsonb)
on conflict (company, about, kind) do update set
    entity = excluded.entity,
    digest = excluded.digest,
    found = excluded.found,
    document_id = excluded.document_id,
    amount = excluded.amount,
    currency = excluded.currency,
    cleared = excluded.cleared
