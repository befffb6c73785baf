"""The column types of bars, and their way through CSV without losing a bit.

CSV because it is text: a binary COPY of an integer column into float8 stores
its raw bits, silently (3 becomes 1.5e-323). Postgres and polars both print
float64 shortest-exact and read it back to the same bits.
"""

from typing import LiteralString

import polars as pl
import psycopg
from psycopg.abc import Params

UTC_TIME = pl.Datetime("us", "UTC")
PRICES = ("open", "high", "low", "close")

WINDOW_SCHEMA: dict[str, pl.DataType] = {
    "ts_open": UTC_TIME,
    **dict.fromkeys((*PRICES, "volume"), pl.Float64()),
}
DELIVERY_SCHEMA: dict[str, pl.DataType] = {
    "ts_open": UTC_TIME,
    "ts_close": UTC_TIME,
    **dict.fromkeys((*PRICES, "volume"), pl.Float64()),
}


def copy_out(
    connection: psycopg.Connection,
    query: LiteralString,
    params: Params,
    schema: dict[str, pl.DataType],
) -> pl.DataFrame:
    """Rows of a query as a frame of exactly `schema`, in the query's order.

    The query hands over instants as whole microseconds since 1970 (bigint).
    """
    physical = {
        name: pl.Int64() if isinstance(kind, pl.Datetime) else kind for name, kind in schema.items()
    }
    with connection.cursor() as cursor:
        statement: LiteralString = "copy (" + query + ") to stdout (format csv)"
        with cursor.copy(statement, params) as copy:
            raw = b"".join(bytes(block) for block in copy)
    if not raw:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(raw, has_header=False, schema=physical).cast(schema)  # type: ignore[arg-type]


def copy_in(connection: psycopg.Connection, statement: LiteralString, frame: pl.DataFrame) -> None:
    """Write a frame, cast to its table's types beforehand, by `COPY ... (format csv)`."""
    body = frame.write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.6f+00")
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(body.encode())
