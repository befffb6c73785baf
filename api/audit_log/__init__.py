"""Security-relevant acts, as those may read them whom they concern."""
