"""Gusto as a source: employees and pay runs."""
