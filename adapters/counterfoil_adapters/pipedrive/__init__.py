"""Pipedrive as a source: organizations, persons, products, won deals and their instalments."""
