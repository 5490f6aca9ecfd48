INSERT INTO counterfoil_log.migrations (number, name, checksum) VALUES ($1, $2, $3)
