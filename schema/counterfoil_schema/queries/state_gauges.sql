-- What a company's limiter showed of itself last.
select metered, used, allowed, ceiling, waiting, throttled, waited_seconds, paused_until, saved_at
from counterfoil_state.limiter_gauges
where company = $1
