-- Remembered deliveries that no event bears: they would swallow a real one.
SELECT delivery.source || ':' || delivery.delivery_id AS delivery, delivery.position
FROM counterfoil_log.deliveries AS delivery
LEFT JOIN counterfoil_log.events AS event
    ON event.company = delivery.company AND event.position = delivery.position
WHERE delivery.company = $1
    AND event.delivery IS DISTINCT FROM delivery.source || ':' || delivery.delivery_id
ORDER BY delivery.position
LIMIT $2
