"""Shapes only: events, canonical records, wire models, migrations and queries."""
