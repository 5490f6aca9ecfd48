-- One migrating starter at a time; the others wait here and then find nothing to do. $1 log schema
SELECT pg_advisory_xact_lock(hashtextextended('counterfoil migrations ' || $1::text, 0))
