"""API keys: a machine's secret, of which we keep the sha256 only."""
