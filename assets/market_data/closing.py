"""When a bar ended, where its source says only when it opened.

An hour after it opened, or where the next one opened, or where the exchange
closed, whichever was first: shares' bars may open on the half hour, and their
last one of a day is shorter. Nothing is moved onto the full hour.
"""

from datetime import datetime, timedelta

import polars as pl

from assets.market_data.calendar import open_intervals
from assets.market_data.frames import DELIVERY_SCHEMA, UTC_TIME

ROUND_THE_CLOCK = ("24x7", "FX", "METAL")
MINUTE_US = 60_000_000


def with_close(frame: pl.DataFrame, calendar: str) -> pl.DataFrame:
    """Bars in the columns of a delivery, in the order they came in.

    Args:
        frame: `ts_open` (Datetime us UTC, null where it could not be read),
            `open`, `high`, `low`, `close`, `volume` (Float64).
        calendar: the instrument's.

    Raises:
        UnknownCalendarError: see `calendar`.
    """
    # Only stamps on the minute shorten their predecessor: a broken stamp spoils its own row only.
    on_grid = pl.col("ts_open").to_physical() % MINUTE_US == 0
    opens = frame.filter(on_grid).select("ts_open").unique().sort("ts_open")
    limits = opens.with_columns(next_open=pl.col("ts_open").shift(-1))
    if calendar not in ROUND_THE_CLOCK:
        limits = limits.join_asof(
            _session_closes(opens, calendar), left_on="ts_open", right_on="session_close",
            strategy="forward", allow_exact_matches=False,
        )  # fmt: skip
    hour_later = pl.col("ts_open") + pl.duration(hours=1)
    return (
        frame.join(limits, on="ts_open", how="left", maintain_order="left")
        .with_columns(ts_close=pl.min_horizontal(hour_later, *limits.columns[1:]))
        .select(list(DELIVERY_SCHEMA))
    )


def _session_closes(opens: pl.DataFrame, calendar: str) -> pl.DataFrame:
    first, last = opens["ts_open"].min(), opens["ts_open"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return pl.DataFrame(schema={"session_close": UTC_TIME})
    sessions = open_intervals(calendar, first, last + timedelta(days=1))
    # Where the period ends is not where a session does.
    return (
        pl.DataFrame({"session_close": sessions[:, 1]})
        .cast(UTC_TIME)
        .filter(pl.col("session_close") < last + timedelta(days=1))
    )
