"""How good a signal has been, per provenance."""
