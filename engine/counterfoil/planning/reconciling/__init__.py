"""Reconciliation, as far as it needs nobody: what documents come to, how the sides differ, what to do. Pure."""
