"""Letters to people: put into an outbox with the act that they are about, delivered later."""
