"""Channel breakout: beyond the range of the last two days, the move is taken to go on.

Nothing is imported but the contract and Python's own library.
"""

import math
from itertools import pairwise
from statistics import fmean

from signalbox import Forecast

HORIZONS_HOURS = (1, 12)
CHANNEL_HOURS = 48
SHARE = 0.25


def forecast(window):
    rows = []
    for symbol in window.symbols:
        bars = window.bars(symbol)
        closes = bars["close"].to_list()
        drift = breakout(bars["high"].to_list(), bars["low"].to_list(), closes)
        rows += [Forecast(symbol, hours, drift * math.sqrt(hours)) for hours in HORIZONS_HOURS]
    return rows


def breakout(highs, lows, closes):
    """The forecast of one hour: a share of the usual hourly move, up, down, or nothing."""
    if len(closes) <= CHANNEL_HOURS:
        return 0.0
    before = slice(-CHANNEL_HOURS - 1, -1)
    usual = fmean(abs(math.log(b / a)) for a, b in pairwise(closes))
    if closes[-1] > max(highs[before]):
        return SHARE * usual
    if closes[-1] < min(lows[before]):
        return -SHARE * usual
    return 0.0
