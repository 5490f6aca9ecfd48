-- The first event past the head, seen at one moment; there is none in a log that only appends wrote.
SELECT min(event.position)
FROM counterfoil_log.events AS event
WHERE event.company = $1
    AND event.position > coalesce((SELECT head.position FROM counterfoil_log.heads AS head WHERE head.company = $1), 0)
