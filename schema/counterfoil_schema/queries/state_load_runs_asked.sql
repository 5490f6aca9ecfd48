-- Rows of runs_asked by key; one array of texts for each part of the key.
select to_jsonb(found)
from unnest($2::text[]) as asked (run)
join counterfoil_state.runs_asked as found
    on found.company = $1 and found.run = asked.run
