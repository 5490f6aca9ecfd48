SELECT company, "position", hash, epoch FROM counterfoil_log.heads ORDER BY company
