-- The one row of companies.
select to_jsonb(found) from counterfoil_state.companies as found where found.company = $1
