"""An autoregression of hourly returns, fitted by statsmodels on the window alone.

Returns over a horizon are sums of hourly ones. The quantiles are those of a normal distribution
around the sum, as wide as the residuals suggest: an assumption, and a plain one.
"""

from statistics import NormalDist

import numpy as np
from statsmodels.tsa.ar_model import AutoReg

from signalbox import Forecast

HORIZONS_HOURS = (1, 6)
LEVELS = (0.1, 0.5, 0.9)
LAGS = 12
FEWEST_RETURNS = 100


def forecast(window):
    rows = []
    for symbol in window.symbols:
        returns = np.diff(np.log(window.numpy(symbol, "close")))
        mean, deviation = fitted(returns)
        for hours in HORIZONS_HOURS:
            point = float(mean[:hours].sum())
            spread = NormalDist(point, deviation * hours**0.5 + 1e-9)
            quantiles = {level: spread.inv_cdf(level) for level in LEVELS}
            rows.append(Forecast(symbol, hours, point, quantiles=quantiles))
    return rows


def fitted(returns):
    longest = max(HORIZONS_HOURS)
    if len(returns) < FEWEST_RETURNS or not returns.std() > 0:
        return np.zeros(longest), float(returns.std()) if len(returns) else 0.0
    # In hundredths of a percent: near one, where the fit is well conditioned.
    scaled = returns * 1e4
    model = AutoReg(scaled, lags=LAGS, trend="c").fit()
    ahead = model.predict(start=len(scaled), end=len(scaled) + longest - 1)
    return ahead / 1e4, float(model.resid.std()) / 1e4
