-- Keep what verifying a company's log has found. $6: whether it was held against an anchor; what only an anchor shows ($7)
-- is not cleared without one.
insert into counterfoil_state.verdicts as kept (company, checked_at, position, faults, first_fault)
values ($1, $2, $3, $4, case when $7::boolean then 'against the anchor: ' else '' end || $5::text)
on conflict (company) do update set
    checked_at = excluded.checked_at,
    position = excluded.position,
    faults = excluded.faults,
    first_fault = excluded.first_fault
where $6::boolean or excluded.faults > 0 or kept.first_fault not like 'against the anchor: %'
