SELECT counterfoil_log.acquire_lease($1, $2, $3)
