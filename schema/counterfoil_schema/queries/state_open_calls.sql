-- Calls with items whose end is not recorded.
select to_jsonb(found)
from counterfoil_state.calls as found
where found.company = $1 and found.open_items <> '{}'
order by found.sent
limit $2
