"""Creates that may be sent again: Idempotency-Key."""
