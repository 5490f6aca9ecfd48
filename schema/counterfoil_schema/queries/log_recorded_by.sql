-- The last position of a company that was recorded by an instant.
SELECT "position"
FROM counterfoil_log.events
WHERE company = $1 AND recorded_at <= $2
ORDER BY "position" DESC
LIMIT 1
