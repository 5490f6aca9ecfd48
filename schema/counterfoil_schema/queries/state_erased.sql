-- Whose keys were destroyed, in pages: company, subject to go on after, rows.
select to_jsonb(found)
from counterfoil_state.erasures as found
where found.company = $1 and found.subject collate "C" > $2
order by found.subject collate "C"
limit $3
