"""Rows as tables: CSV, Parquet, Arrow stream.

A column for each field of the row's struct, in the order of its fields. Instants are
Datetime('us', 'UTC'), numbers float64 or int64; `quantiles` is a list of [level, value].
In CSV instants are ISO 8601, what is null is empty, lists are JSON, and text that a
spreadsheet would take for a formula begins with an apostrophe.
"""

import io
import types
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import polars as pl

from api.formats.media_types import ARROW, CSV, PARQUET

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
INSTANT = pl.Datetime("us", "UTC")
COLUMNS: dict[Any, Any] = {
    datetime: INSTANT, float: pl.Float64, int: pl.Int64, bool: pl.Boolean, str: pl.String,
}  # fmt: skip


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Columns of a struct, in order."""
    hints = get_type_hints(kind)
    return {name: _column(hints[name]) for name in kind.__struct_fields__}


def _column(hint: Any) -> Any:
    hint = _without_none(hint)
    if get_origin(hint) is list:
        return pl.List(_column(get_args(hint)[0]))
    if get_origin(hint) is tuple:
        return pl.List(_column(get_args(hint)[0]))
    return COLUMNS.get(hint, pl.String)


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in {Union, types.UnionType}:
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    return hint


def frame_of(kind: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> pl.DataFrame:
    schema = schema_of(kind)
    columns = {name: [_plain(getattr(row, name)) for row in rows] for name in schema}
    return pl.DataFrame(columns, schema=schema)


def _plain(value: Any) -> Any:
    return [list(pair) for pair in value] if isinstance(value, list) else value


def written(frame: pl.DataFrame, media_type: str) -> bytes:
    """A frame in one of the three formats."""
    if media_type == CSV:
        return csv(frame)
    file = io.BytesIO()
    if media_type == PARQUET:
        frame.write_parquet(file)
    elif media_type == ARROW:
        frame.write_ipc_stream(file, compat_level=pl.CompatLevel.oldest())
    else:
        raise ValueError(f"{media_type} is no table")
    return file.getvalue()


def csv(frame: pl.DataFrame, *, has_header: bool = True) -> bytes:
    """CSV by RFC 4180, safe to open in a spreadsheet.

    >>> print(csv(pl.DataFrame({"a": ["=1+1", "b,c"], "b": [-1.5, None]})).decode(), end="")
    a,b
    '=1+1,-1.5
    "b,c",
    """
    file = io.BytesIO()
    safe = [_text(name, kind) for name, kind in frame.schema.items()]
    frame.select(safe).write_csv(file, include_header=has_header)
    return file.getvalue()


def _text(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(kind, pl.List):
        return column.map_elements(_as_json, return_dtype=pl.String, skip_nulls=True)
    if isinstance(kind, pl.Datetime):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    if kind == pl.String:
        starts = pl.any_horizontal(column.str.starts_with(sign) for sign in FORMULA)
        return pl.when(starts).then(pl.lit("'") + column).otherwise(column).alias(name)
    return column


def _as_json(value: pl.Series) -> str:
    return msgspec.json.encode(value.to_list()).decode()
