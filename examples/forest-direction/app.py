"""How likely the next hours rise: a random forest on returns and volatility over several spans.

Trained anew each hour on the window alone. A row whose target reaches past the window is left
out of the training, so nothing unknown is learnt. The forest draws from a fixed seed.
"""

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from signalbox import Forecast

HORIZONS_HOURS = (1, 4)
SPANS = (1, 3, 6, 12, 24)
FEWEST_ROWS = 100


def forecast(window):
    rows = []
    for symbol in window.symbols:
        log_close = np.log(window.numpy(symbol, "close"))
        for hours in HORIZONS_HOURS:
            probability, point = predict(log_close, hours)
            rows.append(Forecast(symbol, hours, point, probability_up=probability))
    return rows


def predict(log_close, hours):
    longest = max(SPANS)
    ends = np.arange(longest, len(log_close))
    known = ends[ends + hours < len(log_close)]
    if len(known) < FEWEST_ROWS:
        return 0.5, 0.0
    moves = log_close[known + hours] - log_close[known]
    rose = moves > 0
    if rose.all() or not rose.any():
        return 0.5, 0.0
    table = features(log_close, ends)
    forest = RandomForestClassifier(
        n_estimators=40, max_depth=4, min_samples_leaf=10, random_state=7, n_jobs=1
    ).fit(table[: len(known)], rose)
    probability = float(forest.predict_proba(table[-1:])[0, 1])
    return probability, float((2 * probability - 1) * np.abs(moves).mean() / 2)


def features(log_close, ends):
    returns = np.diff(log_close, prepend=log_close[0])
    columns = [log_close[ends] - log_close[ends - span] for span in SPANS]
    squares = np.cumsum(returns**2)
    columns += [np.sqrt(squares[ends] - squares[ends - span]) for span in SPANS[1:]]
    return np.column_stack(columns)
