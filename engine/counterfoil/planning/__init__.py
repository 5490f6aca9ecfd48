"""Decides what a change asks for: pure functions of record, mapping and state. No clock, no network, no database."""
