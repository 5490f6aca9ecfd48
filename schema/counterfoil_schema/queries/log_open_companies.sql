SELECT company, "position", hash FROM counterfoil_log.open_companies($1)
