"""RSI and MACD on hourly closes, the way chart people combine them.

The MACD histogram gives direction and strength, in units of the last day's volatility. Where the
RSI is beyond 70 or below 30 the move is taken to be stretched, and half of the forecast is left.
"""

import pandas as pd

from signalbox import Forecast

HORIZONS_HOURS = (1, 4)
FAST, SLOW, SIGNAL = 12, 26, 9
RSI_HOURS = 14
OVERSOLD, OVERBOUGHT = 30, 70
FEWEST_BARS = 60
STRENGTH = 0.1


def forecast(window):
    rows = []
    for symbol in window.symbols:
        frame = window.pandas(symbol)
        close = frame["close"]
        score = momentum(close) if len(close) >= FEWEST_BARS else 0.0
        rows += [Forecast(symbol, hours, score * hours**0.5) for hours in HORIZONS_HOURS]
    return rows


def momentum(close: pd.Series) -> float:
    returns = close.pct_change()
    volatility = returns.rolling(24).std().iloc[-1]
    histogram = macd_histogram(close).iloc[-1] / close.iloc[-1]
    if not volatility > 0:
        return 0.0
    score = STRENGTH * max(-1.0, min(1.0, histogram / volatility)) * volatility
    stretched = not OVERSOLD <= rsi(close).iloc[-1] <= OVERBOUGHT
    return float(score / 2 if stretched else score)


def macd_histogram(close: pd.Series) -> pd.Series:
    fast = close.ewm(span=FAST, adjust=False).mean()
    slow = close.ewm(span=SLOW, adjust=False).mean()
    line = fast - slow
    return line - line.ewm(span=SIGNAL, adjust=False).mean()


def rsi(close: pd.Series) -> pd.Series:
    change = close.diff()
    gain = change.clip(lower=0).ewm(alpha=1 / RSI_HOURS, adjust=False).mean()
    loss = (-change.clip(upper=0)).ewm(alpha=1 / RSI_HOURS, adjust=False).mean()
    return 100 * gain / (gain + loss).where(lambda total: total > 0, 1.0)
