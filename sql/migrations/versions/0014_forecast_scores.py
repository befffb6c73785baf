"""Scores of quantiles and probabilities, and what errors are measured by.

Rows that were written before keep nulls: facts are insert-only. What follows from
forecast and outcome alone is computed where it is read.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COLUMNS = {
    "reference": "What no change would have been: 0, or the close at the slot",
    "symmetric_error": "2 |X - Y| / (|X| + |Y|) of prices, 0 to 2",
    "scale": "Mean absolute seasonal difference knowable at the slot",
    "squared_scale": "Mean squared seasonal difference knowable at the slot",
    "seasonal_naive": "Seasonal naive forecast; null: that hour had no bar",
    "naive2": "Forecast of M4''s Naive2",
    "pinball_loss": "Mean quantile loss over the levels; null: no quantiles",
    "interval_score": "Of the widest symmetric pair of levels; null: none",
    "pit": "Interpolated level of the outcome, 0 to 1",
    "brier": "(probability_up - rose) squared; null: no probability",
    "log_score": "In nats; null as brier",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    added = ", ".join(f"add column {name} double precision" for name in COLUMNS)
    op.execute(f"alter table score.score {added}")
    for name, text in COLUMNS.items():
        op.execute(f"comment on column score.score.{name} is '{text}'")
