"""What scores and bars add up to, by signal, version and period, kept up to date each hour."""

from assets.scores.performance.update import Updated, update_performance

__all__ = ["Updated", "update_performance"]
