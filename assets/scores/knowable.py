"""What the bars that were knowable at each slot say of a forecast's scale and naive rivals.

A slot sees the bars that had closed by it and were available by its cut-off, as its
models did: a correction that came later does not change what an error is measured by.
Most bars are known as soon as they can be. Those that came late, or corrected one, cut the
slots into epochs that know the same; within an epoch one array of closes serves all.
"""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from assets.market_data.frames import UTC_TIME, read_frame
from assets.scores.rules import seasonal

CLOSES = """
select b.instrument_id, b.ts_close, b.available_at, b.close
from unnest(%(ids)s::int[]) as wanted (id)
join market.bar b on b.instrument_id = wanted.id
  and b.ts_open >= %(first)s and b.ts_open < %(last)s
where b.ts_close <= %(last)s and b.available_at <= %(known)s
  and date_trunc('hour', b.ts_close) = b.ts_close
order by b.instrument_id, b.ts_close, b.available_at, b.batch_id, b.ts_open
"""
CLOSES_SCHEMA: dict[str, pl.DataType] = {
    "instrument_id": pl.Int32(),
    "ts_close": UTC_TIME,
    "available_at": UTC_TIME,
    "close": pl.Float64(),
}
HOUR_US = 3_600_000_000
HOUR = timedelta(hours=1)
KEYS = ["instrument_id", "slot", "cutoff", "horizon_hours", "target"]
SLOTS_AT_ONCE = 2_000

Micros = npt.NDArray[np.int64]


def with_knowable(connection: psycopg.Connection, decided: pl.DataFrame) -> pl.DataFrame:
    """Decided forecasts with their scale and naive forecasts.

    Args:
        connection: may read bars.
        decided: `instrument_id`, `slot` and `cutoff` (Datetime us UTC), `horizon_hours`,
            `target`, `reference` and keys, which are kept, as is their order.

    Returns:
        With `scale`, `seasonal_naive`, `naive2` (the target's unit) and `squared_scale`
        (its square), null where too little was known.
    """
    if decided.is_empty():
        kinds = pl.Series(dtype=pl.Float64)
        return decided.with_columns(
            scale=kinds, squared_scale=kinds, seasonal_naive=kinds, naive2=kinds
        )
    wanted = decided.select(KEYS).unique().sort(KEYS)
    closes = _read(connection, wanted).partition_by("instrument_id", as_dict=True)
    none = pl.DataFrame(schema=CLOSES_SCHEMA)
    known = pl.concat(
        [
            part
            for (instrument,), asked in wanted.partition_by("instrument_id", as_dict=True).items()
            for part in _of_instrument(asked, closes.get((instrument,), none))
        ]
    )
    joined = decided.join(known, on=KEYS, how="left", maintain_order="left")
    naive = pl.col("naive2_ratio")
    return joined.with_columns(
        naive2=pl.when(pl.col("target") == "return")
        .then(naive.log())
        .otherwise(naive * pl.col("reference"))
    ).drop("naive2_ratio")


def _read(connection: psycopg.Connection, wanted: pl.DataFrame) -> pl.DataFrame:
    first, last, known, longest = wanted.select(
        first=pl.col("slot").min(),
        last=pl.col("slot").max(),
        known=pl.col("cutoff").max(),
        longest=pl.col("horizon_hours").max(),
    ).row(0)
    parameters = {
        "ids": wanted["instrument_id"].unique().to_list(),
        "first": first - (seasonal.reach_hours(longest) + 1) * HOUR,
        "last": last,
        "known": known,
    }
    return read_frame(connection, CLOSES, parameters, CLOSES_SCHEMA)


def _of_instrument(asked: pl.DataFrame, closes: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The answers for one instrument, a frame for each epoch, horizon and target."""
    slot, cutoff = _micros(asked, "slot"), _micros(asked, "cutoff")
    closes = closes.filter(pl.col("ts_close") <= asked["slot"].max())
    closed, available = _micros(closes, "ts_close"), _micros(closes, "available_at")
    price = closes["close"].to_numpy()
    late = available - closed > (cutoff - slot).min()
    turns = np.unique(available[late])
    epochs = np.searchsorted(turns, cutoff, side="right")
    origin = int(min(slot[0] if not len(closed) else closed[0], slot.min()))
    place = (closed - origin) // HOUR_US
    numbered = asked.with_columns(
        epoch=pl.Series(epochs), place=pl.Series((slot - origin) // HOUR_US)
    )
    for (epoch,), part in numbered.partition_by("epoch", as_dict=True).items():
        start, end = _reach(part)
        known_by = turns[int(str(epoch)) - 1] if epoch else 0
        visible = (~late | (available <= known_by)) & (place >= start) & (place <= end)
        hours = np.full(end - start + 1, np.nan)
        # Versions of a bar stand in the order they came: the last one written holds.
        hours[place[visible] - start] = price[visible]
        yield from _of_epoch(part.with_columns(pl.col("place") - start), hours)


def _reach(part: pl.DataFrame) -> tuple[int, int]:
    """The first and the last hour that the slots of an epoch look at."""
    first, last, longest = part.select(
        first=pl.col("place").min(),
        last=pl.col("place").max(),
        longest=pl.col("horizon_hours").max(),
    ).row(0)
    return max(first - seasonal.reach_hours(longest), 0), last


def _of_epoch(asked: pl.DataFrame, hours: seasonal.Hours) -> Iterator[pl.DataFrame]:
    groups = asked.partition_by("horizon_hours", "target", as_dict=True)
    for (horizon, target), group in groups.items():
        outcome = seasonal.outcomes(hours, int(horizon), str(target))
        for part in group.sort("place").iter_slices(SLOTS_AT_ONCE):
            places = part["place"].to_numpy()
            scale, squared = seasonal.seasonal_scales(
                outcome, seasonal.lag_hours(int(horizon)), places
            )
            yield part.select(
                *KEYS,
                scale=pl.Series(scale, nan_to_null=True),
                squared_scale=pl.Series(squared, nan_to_null=True),
                seasonal_naive=pl.Series(
                    seasonal.seasonal_naive(outcome, int(horizon), places), nan_to_null=True
                ),
                naive2_ratio=pl.Series(
                    seasonal.naive2(hours, int(horizon), places), nan_to_null=True
                ),
            )


def _micros(frame: pl.DataFrame, column: str) -> Micros:
    return frame[column].to_physical().to_numpy()
