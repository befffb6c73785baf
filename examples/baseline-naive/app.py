"""Naive: the price stays.

Of a random walk no forecast is better (Hyndman and Athanasopoulos, Forecasting:
Principles and Practice, section 5.2). It says no direction, so it has no hit rate.
"""

from signalbox import Forecast

HORIZONS_HOURS = (1, 4, 24)


def forecast(window):
    return [
        Forecast(symbol, horizon_hours=hours, point=0.0)
        for symbol in window.symbols
        for hours in HORIZONS_HOURS
    ]
