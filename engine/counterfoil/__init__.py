"""The core: keeps business systems and QuickBooks in step through an append-only event log."""
