"""`counterfoil loadtest`: a deployment's own volume, times some number, against the emulator on this machine."""
