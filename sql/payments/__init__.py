"""Payment providers, and what their events mean for a subscription."""
