-- The pay runs that a connection shows, in the order in which they were observed last.
select to_jsonb(found)
from counterfoil_state.records as found
where found.company = $1 and found.kind = 'pay_run' and not found.removed and starts_with(found.record_key, $2)
order by found.position
