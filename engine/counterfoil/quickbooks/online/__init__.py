"""QuickBooks Online: the client, its tokens, its faults, queries, batches, change data capture and webhooks."""
