"""Carries decisions out: lease, outbox, limiter, sending, settling."""
