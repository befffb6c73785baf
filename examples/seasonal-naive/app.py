"""Seasonal naive: what the same hours did a day ago.

The forecast over h hours is the log return of the same h hours a day earlier.
Where the market was closed then, the forecast is no change.
Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 5.2.
"""

import math
from datetime import timedelta

from signalbox import Forecast

HORIZONS_HOURS = (1, 4, 24)
DAY = timedelta(hours=24)


def forecast(window):
    return [
        Forecast(symbol, horizon_hours=hours, point=seasonal_return(window, symbol, hours))
        for symbol in window.symbols
        for hours in HORIZONS_HOURS
    ]


def seasonal_return(window, symbol, hours):
    bars = window.bars(symbol)
    closed_at = [opened + timedelta(hours=1) for opened in bars["ts_open"]]
    close = dict(zip(closed_at, bars["close"], strict=True))
    start = window.as_of - DAY
    end = start + timedelta(hours=hours)
    if start not in close or end not in close:
        return 0.0
    return math.log(close[end] / close[start])
