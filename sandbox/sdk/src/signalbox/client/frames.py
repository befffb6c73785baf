"""Items of the API as polars frames: known columns in one order; new fields are left out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

INSTANT = pl.Datetime("us", "UTC")
Schema = dict[str, pl.DataType]

FORECASTS: Schema = {
    "signal": pl.String(),
    "version": pl.String(),
    "as_of": INSTANT,
    "symbol": pl.String(),
    "horizon_hours": pl.Int64(),
    "target_time": INSTANT,
    "point": pl.Float64(),
    "quantiles": pl.List(pl.List(pl.Float64())),
    "probability_up": pl.Float64(),
    "available_at": INSTANT,
    "valid_until": INSTANT,
    "provenance": pl.String(),
    "leaf_index": pl.Int64(),
    "proven_at": INSTANT,
    "is_unopened": pl.Boolean(),
    "is_sample_data": pl.Boolean(),
    "input_digest": pl.String(),
    "image_digest": pl.String(),
}
BARS: Schema = {
    "ts_open": INSTANT,
    "ts_close": INSTANT,
    "open": pl.Float64(),
    "high": pl.Float64(),
    "low": pl.Float64(),
    "close": pl.Float64(),
    "volume": pl.Float64(),
    "available_at": INSTANT,
}


def frame(items: Sequence[dict[str, Any]], schema: Schema) -> pl.DataFrame:
    """One row an item, in their order; a field that is missing is null."""
    return pl.DataFrame(
        {
            name: pl.Series(name, [_read(item.get(name), kind) for item in items], dtype=kind)
            for name, kind in schema.items()
        }
    )


def _read(value: Any, kind: pl.DataType) -> Any:
    if value is None or kind != INSTANT:
        return value
    return datetime.fromisoformat(value)
