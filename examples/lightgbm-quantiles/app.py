"""Three quantiles of the next hour's return by gradient boosting, on lags and the hour of day.

Each quantile has a small model of its own; where two cross, they are put in order. One thread and
fixed seeds: the same window gives the same bytes.
"""

from datetime import timedelta

import lightgbm as lgb
import numpy as np

from signalbox import Forecast

LEVELS = (0.1, 0.5, 0.9)
LAGS = 12
ROUNDS = 40
FEWEST_ROWS = 150
SETTINGS = {
    "objective": "quantile",
    "learning_rate": 0.1,
    "num_leaves": 7,
    "min_data_in_leaf": 20,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 7,
    "verbosity": -1,
}


def forecast(window):
    rows = []
    for symbol in window.symbols:
        quantiles = sorted(predict(window, symbol))
        by_level = dict(zip(LEVELS, quantiles, strict=True))
        rows.append(Forecast(symbol, 1, quantiles[1], quantiles=by_level))
    return rows


def predict(window, symbol):
    bars = window.bars(symbol)
    returns = np.diff(np.log(bars["close"].to_numpy()))
    if len(returns) < LAGS + FEWEST_ROWS:
        return [-0.01, 0.0, 0.01]
    closed = [(opened + timedelta(hours=1)).hour for opened in bars["ts_open"]][1:]
    lags = np.lib.stride_tricks.sliding_window_view(returns, LAGS)
    table = np.column_stack([lags, closed[LAGS - 1 :]])
    # The last row is the one to predict; every other has the return that followed it.
    known, target = table[:-1], returns[LAGS:]
    return [boosted(known, target, table[-1:], level) for level in LEVELS]


def boosted(known, target, last, level):
    data = lgb.Dataset(known, target, params={"verbosity": -1})
    model = lgb.train({**SETTINGS, "alpha": level}, data, num_boost_round=ROUNDS)
    return float(model.predict(last, num_threads=1)[0])
