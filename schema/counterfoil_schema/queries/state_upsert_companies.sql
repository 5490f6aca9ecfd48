-- Insert or replace rows of companies; $1 is a JSON array of them.
insert into counterfoil_state.companies (company, name, zone, home_currency, realm_id, environment, fingerprint, multi_currency, custom_numbers, preferences_hash, closed_until, tax_mode, class_tracking, department_tracking, approved, recovery, recovering)
select company, name, zone, home_currency, realm_id, environment, fingerprint, multi_currency, custom_numbers, preferences_hash, closed_until, tax_mode, class_tracking, department_tracking, approved, coalesce(recovery, ''), recovering
from jsonb_populate_recordset(null::counterfoil_state.companies, $1::jsonb)
on conflict (company) do update set
    name = excluded.name,
    zone = excluded.zone,
    home_currency = excluded.home_currency,
    realm_id = excluded.realm_id,
    environment = excluded.environment,
    fingerprint = excluded.fingerprint,
    multi_currency = excluded.multi_currency,
    custom_numbers = excluded.custom_numbers,
    preferences_hash = excluded.preferences_hash,
    closed_until = excluded.closed_until,
    tax_mode = excluded.tax_mode,
    class_tracking = excluded.class_tracking,
    department_tracking = excluded.department_tracking,
    approved = excluded.approved,
    recovery = excluded.recovery,
    recovering = excluded.recovering
