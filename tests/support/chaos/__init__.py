"""Real engines, Postgres and QuickBooks' emulator in bad weather: what breaks them, and what judges them afterwards."""
