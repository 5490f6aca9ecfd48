SELECT delivery.source || ':' || delivery.delivery_id
FROM counterfoil_log.deliveries AS delivery
INNER JOIN unnest($2::text[], $3::text[]) AS wanted (source, delivery_id)
    ON wanted.source = delivery.source AND wanted.delivery_id = delivery.delivery_id
WHERE delivery.company = $1
