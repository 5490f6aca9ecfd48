-- Records of a source's kind that are not gone, in pages by key: company, beginning of their keys, key to go on after, rows.
select record_key, kind
from counterfoil_state.records
where company = $1 and starts_with(record_key, $2) and record_key > $3 and not removed
order by record_key
limit $4
