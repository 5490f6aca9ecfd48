-- Every company that has a head or an event, found by jumping along the keys.
WITH RECURSIVE found (company) AS (
    SELECT min(event.company) FROM counterfoil_log.events AS event
    UNION ALL
    SELECT (SELECT min(event.company) FROM counterfoil_log.events AS event WHERE event.company > found.company)
    FROM found
    WHERE found.company IS NOT NULL
)
SELECT found.company FROM found WHERE found.company IS NOT NULL
UNION
SELECT head.company FROM counterfoil_log.heads AS head
ORDER BY company
