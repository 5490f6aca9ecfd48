SELECT company, "position", hash, epoch FROM counterfoil_log.heads WHERE company = ANY ($1) ORDER BY company
