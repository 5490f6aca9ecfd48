SELECT count(*) FROM counterfoil_log.leases WHERE expires_at > clock_timestamp()
