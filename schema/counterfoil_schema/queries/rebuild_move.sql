-- How far one company is folded afresh; only from where this rebuild believes it to stand.
update counterfoil_state.fresh_runs set position = $3, link = $4
where company = $1 and position = $2 and edition = $5
returning position
