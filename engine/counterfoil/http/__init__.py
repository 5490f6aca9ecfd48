"""What the outside calls: webhooks, health and readiness."""
