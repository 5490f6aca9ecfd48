"""Traces and metrics, behind a port; off unless the host or the configuration turns them on."""
