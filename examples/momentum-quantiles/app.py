"""Time-series momentum with empirical quantiles.

The drift is the mean of the t-statistics of returns over 24, 72 and 168 hours,
shrunk to a tenth, in units of the hourly volatility (Moskowitz, Ooi and
Pedersen 2012, Time series momentum). The quantiles are those of past returns
over the same horizon, centred on the drift.
"""

import math

import numpy as np

from signalbox import Forecast

HORIZONS_HOURS = (1, 4, 24)
LEVELS = (0.1, 0.5, 0.9)
LOOKBACKS_HOURS = (24, 72, 168)
SHRINKAGE = 0.1
FEWEST_BARS = 200


def forecast(window):
    return [row for symbol in window.symbols for row in distributions(symbol, window)]


def distributions(symbol, window):
    log_close = np.log(window.numpy(symbol, "close"))
    if len(log_close) < FEWEST_BARS:
        flat = dict.fromkeys(LEVELS, 0.0)
        return [Forecast(symbol, hours, 0.0, flat, 0.5) for hours in HORIZONS_HOURS]
    returns = np.diff(log_close)
    _, volatility = moments(returns)
    drift = SHRINKAGE * volatility * momentum(returns) / math.sqrt(LOOKBACKS_HOURS[-1])
    return [distribution(symbol, hours, log_close, hours * drift) for hours in HORIZONS_HOURS]


def distribution(symbol, hours, log_close, drift):
    past = np.sort(log_close[hours:] - log_close[:-hours])
    ranks = np.arange(len(past))
    median = np.interp(0.5 * ranks[-1], ranks, past)
    values = drift - median + np.interp([level * ranks[-1] for level in LEVELS], ranks, past)
    quantiles = dict(zip(LEVELS, values.tolist(), strict=True))
    up = 1.0 - np.searchsorted(past, median - drift, side="right") / len(past)
    return Forecast(symbol, hours, quantiles[0.5], quantiles, float(up))


def momentum(returns):
    scores = []
    for hours in LOOKBACKS_HOURS:
        mean, volatility = moments(returns[-hours:])
        scores.append(math.sqrt(hours) * mean / (volatility + 1e-12))
    return min(max(sum(scores) / len(scores), -2.0), 2.0)


def moments(returns):
    """Mean and standard deviation; hourly returns are too small for their squares to cancel."""
    mean = float(returns.sum()) / len(returns)
    return mean, math.sqrt(max(float(returns @ returns) / len(returns) - mean * mean, 0.0))
