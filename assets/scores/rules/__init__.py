"""How wrong a forecast was: one formula each, written once, a file a subject.

Rules of one forecast take and give polars expressions; those of many take frames or
arrays and give a number, or None where there is none. x is the point forecast and y the
outcome, both in the target's unit: a log return over the horizon, or a price. r is what
no change would be: 0 for returns, the close at the slot for prices.
"""

from assets.scores.rules.direction import hit
from assets.scores.rules.point import (
    absolute_error,
    error,
    price_symmetric_error,
    squared_error,
    symmetric_error,
)
from assets.scores.rules.probability import brier, log_score
from assets.scores.rules.quantiles import interval_score, pinball, quantile_scores

__all__ = [
    "absolute_error",
    "brier",
    "error",
    "hit",
    "interval_score",
    "log_score",
    "pinball",
    "price_symmetric_error",
    "quantile_scores",
    "squared_error",
    "symmetric_error",
]
