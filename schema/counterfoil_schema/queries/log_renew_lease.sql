SELECT counterfoil_log.renew_lease($1, $2, $3, $4)
