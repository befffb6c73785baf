"""Seasonal naive: what the same hours did a day ago.

The forecast over h hours is the log return of the same h hours one day earlier, or of as
many days as h fits in (Hyndman and Athanasopoulos, Forecasting: Principles and Practice,
section 5.2). Where the market was closed then, it is no change.
"""

import math
from datetime import timedelta

from signalbox import Forecast

HORIZONS_HOURS = (1, 4, 24)
HOUR = timedelta(hours=1)
SEASON_HOURS = 24


def forecast(window):
    return [
        Forecast(symbol, horizon_hours=hours, point=seasonal_return(closes, window.as_of, hours))
        for symbol in window.symbols
        for closes in [closes_by_hour(window, symbol)]
        for hours in HORIZONS_HOURS
    ]


def closes_by_hour(window, symbol):
    bars = window.bars(symbol)
    closed_at = (opened + HOUR for opened in bars["ts_open"])
    return dict(zip(closed_at, bars["close"], strict=True))


def seasonal_return(closes, as_of, hours):
    season = -(-hours // SEASON_HOURS) * SEASON_HOURS
    start = as_of - season * HOUR
    end = start + hours * HOUR
    if start not in closes or end not in closes:
        return 0.0
    return math.log(closes[end] / closes[start])
