-- When each outside deliverer of a company was last recorded.
select newest.source, event.recorded_at
from (
    select delivery.source, max(delivery."position") as "position"
    from counterfoil_log.deliveries as delivery
    where delivery.company = $1
    group by delivery.source
) as newest
join counterfoil_log.events as event on event.company = $1 and event."position" = newest."position"
