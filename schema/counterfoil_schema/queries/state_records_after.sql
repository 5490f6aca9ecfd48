-- The records that a connection shows, in pages by record key: company, `connection:`, record key to go on after, rows.
select to_jsonb(found)
from counterfoil_state.records as found
where found.company = $1 and starts_with(found.record_key, $2) and found.record_key > $3
order by found.record_key
limit $4
