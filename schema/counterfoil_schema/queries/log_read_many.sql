SELECT
    company, "position", event_id, event_type, event_version, recorded_at, record_key, cause, trace, epoch, delivery,
    body, link
FROM counterfoil_log.events
WHERE company = $1 AND "position" = ANY ($2)
ORDER BY "position"
