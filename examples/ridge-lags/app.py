"""Ridge regression on lagged hourly returns, fitted on the window alone.

Each row of the design holds the 24 returns before an hour, scaled by their own
volatility; the target is the return over the horizon that follows. Rows whose
target reaches past the window are left out, so nothing unknown is fitted.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.linear_model import Ridge

from signalbox import Forecast

HORIZONS_HOURS = (1, 4)
LAGS = 24
PENALTY = 50.0
FEWEST_ROWS = 100


def forecast(window):
    rows = []
    for symbol in window.symbols:
        log_close = np.log(window.numpy(symbol, "close"))
        rows += [Forecast(symbol, hours, predict(log_close, hours)) for hours in HORIZONS_HOURS]
    return rows


def predict(log_close, hours):
    returns = np.diff(log_close)
    if len(returns) < LAGS + hours + FEWEST_ROWS:
        return 0.0
    scale = np.std(returns) + 1e-12
    lags = sliding_window_view(returns / scale, LAGS)
    # Row i holds the returns up to close i + LAGS; its target begins there.
    ends = np.arange(LAGS, len(log_close))
    known = ends + hours < len(log_close)
    target = (log_close[ends[known] + hours] - log_close[ends[known]]) / scale
    model = Ridge(alpha=PENALTY).fit(lags[known], target)
    return float(model.predict(lags[-1:])[0] * scale)
