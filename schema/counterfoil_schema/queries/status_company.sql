-- Who works for a company, how old its QuickBooks tokens are, and how the connection stands.
select
    (
        select lease.holder from counterfoil_log.leases as lease
        where lease.company = $1 and lease.expires_at > clock_timestamp()
    ) as holder,
    coalesce(token.stored_at, kept.refreshed_at) as stored_at,
    coalesce(token.access_expires_at, kept.access_expires_at) as access_expires_at,
    coalesce(token.refresh_expires_at, kept.refresh_expires_at) as refresh_expires_at,
    kept.hard_expires_at,
    kept.state as connection
from (select $1::bigint as company) as asked
left join counterfoil_state.tokens as token on token.company = asked.company
left join counterfoil_state.connections as kept on kept.company = asked.company
