"""Reconciliation: reads source, log and books of one company, and has them compared (`planning/reconciling`)."""
