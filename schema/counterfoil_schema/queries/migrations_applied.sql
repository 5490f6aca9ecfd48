SELECT number, name, checksum FROM counterfoil_log.migrations ORDER BY number
