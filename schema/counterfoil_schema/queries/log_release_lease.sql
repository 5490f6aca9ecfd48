SELECT counterfoil_log.release_lease($1, $2, $3)
