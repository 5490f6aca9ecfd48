-- Insert or replace rows of runs_asked; $1 is a JSON array of them.
insert into counterfoil_state.runs_asked (company, run, kind, asked, author, reason, taken, later, planned, refused)
select company, run, kind, asked, author, reason, taken, later, planned, refused
from jsonb_populate_recordset(null::counterfoil_state.runs_asked, $1::jsonb)
on conflict (company, run) do update set
    kind = excluded.kind,
    asked = excluded.asked,
    author = excluded.author,
    reason = excluded.reason,
    taken = excluded.taken,
    later = excluded.later,
    planned = excluded.planned,
    refused = excluded.refused
