"""Kits for tests, ours and those of adapter authors: doubles that are real implementations."""
