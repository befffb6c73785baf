"""Signals, their versions, and how each version's hours went."""
