SELECT company, "position" FROM counterfoil_log.open_companies($1)
