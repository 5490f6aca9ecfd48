-- Who works for a company, and how old its QuickBooks tokens are.
select
    (
        select lease.holder from counterfoil_log.leases as lease
        where lease.company = $1 and lease.expires_at > clock_timestamp()
    ) as holder,
    token.stored_at,
    token.access_expires_at,
    token.refresh_expires_at
from (select $1::bigint as company) as asked
left join counterfoil_state.tokens as token on token.company = asked.company
