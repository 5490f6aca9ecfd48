-- Metered reads of a month over all other companies, and how many of them are being worked for: month, since when,
-- which company is not counted. One small row for each company.
select
    coalesce(sum((gauges.metered ->> $1)::bigint), 0)::bigint as spent,
    count(*) filter (where gauges.saved_at > $2) as companies
from counterfoil_state.limiter_gauges as gauges
where gauges.company <> $3
