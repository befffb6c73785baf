"""Scoring rules, and forecasts scored against what happened."""

from assets.scores.score import score_resolved

__all__ = ["score_resolved"]
