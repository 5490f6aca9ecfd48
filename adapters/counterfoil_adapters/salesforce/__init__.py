"""Salesforce as a source, with an emulator of it."""
