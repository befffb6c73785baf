"""Drift: the price goes on as it went on average over the look-back of 28 days.

The line through the first and the last close, in logarithms, by hours of the clock
(Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 5.2).
"""

import math

from signalbox import Forecast

HORIZONS_HOURS = (1, 4, 24)
HOUR_MICROSECONDS = 3_600_000_000


def forecast(window):
    return [
        Forecast(symbol, horizon_hours=hours, point=hours * drift)
        for symbol in window.symbols
        for drift in [hourly_drift(window, symbol)]
        for hours in HORIZONS_HOURS
    ]


def hourly_drift(window, symbol):
    close = window.numpy(symbol, "close")
    if len(close) <= 1:
        return 0.0
    opened = window.numpy(symbol, "ts_open").view("int64")
    hours = float(opened[-1] - opened[0]) / HOUR_MICROSECONDS
    return math.log(float(close[-1]) / float(close[0])) / hours
