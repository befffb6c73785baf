"""The column types of bars, and their way into and out of the database.

`write_frame` speaks Postgres' binary COPY format, laid out by numpy: every
column has a fixed width, so a table of rows is one structured array. Nothing is
coerced on the wire, which is where the common writers go wrong: an integer
column sent to float8 is stored as its raw bits, silently (3 becomes 1.5e-323).
Here a frame is cast to its table's types before it is encoded, and the encoder
refuses any other type.

`read_frame` has the server gather each column into one binary array: a result
of a few big values instead of a message per row, which costs Python 4 us each.
The arrays' types are compared with those expected before a bit is read.

A null travels out as NaN, which no float column of ours holds (`market.bar`
refuses it); the encoder writes a null in the last column, nowhere else.
"""

from collections.abc import Iterable, Mapping
from typing import LiteralString, NamedTuple, cast

import numpy as np
import polars as pl
import psycopg
from psycopg import sql
from psycopg.abc import Params
from psycopg.pq.abc import PGresult

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

COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_TRAILER = b"\xff\xff"
EPOCH_2000_US = 946_684_800_000_000
"""Postgres counts microseconds from 2000, polars from 1970."""

ARRAY_HEADER_BYTES = 20


class Wire(NamedTuple):
    """A column type in binary: numpy's form of a value, and the oid of Postgres' array of it."""

    form: str
    array_oid: int


WIRE: dict[pl.DataType, Wire] = {
    UTC_TIME: Wire(">i8", 1185),
    pl.Int64(): Wire(">i8", 1016),
    pl.Int32(): Wire(">i4", 1007),
    pl.Float64(): Wire(">f8", 1022),
}


def copy_out(
    connection: psycopg.Connection,
    query: LiteralString,
    params: Params,
    schema: dict[str, pl.DataType],
) -> pl.DataFrame:
    """Rows of a query as a frame of exactly `schema`, in the query's order, by CSV.

    For queries with text among their columns. The query hands over instants as
    whole microseconds since 1970 (bigint).
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


def read_frame(
    connection: psycopg.Connection,
    query: LiteralString,
    params: Params,
    schema: Mapping[str, pl.DataType],
) -> pl.DataFrame:
    """Rows of a query as a frame of exactly `schema`, in the query's order.

    The query's columns have the names of `schema`; only floats may be null.

    Raises:
        TypeError: a column of the query has another type.
        ValueError: an instant or a whole number was null.
    """
    columns = [
        sql.SQL("array_agg(coalesce({}, 'NaN'))" if kind == pl.Float64 else "array_agg({})").format(
            sql.Identifier(name)
        )
        for name, kind in schema.items()
    ]
    statement = sql.SQL("select {} from ({}) as rows").format(
        sql.SQL(", ").join(columns), sql.SQL(query)
    )
    with connection.cursor(binary=True) as cursor:
        cursor.execute(statement, params)
        result = cast("PGresult", cursor.pgresult)
        return pl.DataFrame(
            [
                _column(name, kind, result.ftype(at), result.get_value(0, at))
                for at, (name, kind) in enumerate(schema.items())
            ]
        )


def _column(name: str, kind: pl.DataType, oid: int, array: bytes | None) -> pl.Series:
    wire = WIRE[kind]
    if oid != wire.array_oid:
        raise TypeError(f"column {name} has type oid {oid} in the query, not {wire.array_oid}")
    if array is None:
        return pl.Series(name, [], dtype=kind)
    layout = np.dtype([("length", ">i4"), ("value", wire.form)])
    body = len(array) - ARRAY_HEADER_BYTES
    if body % layout.itemsize:
        raise ValueError(f"a null in column {name}: only floats may be null")
    items = np.frombuffer(array, layout, offset=ARRAY_HEADER_BYTES)["value"]
    native = items.astype(items.dtype.newbyteorder("="))
    shift = EPOCH_2000_US if kind == UTC_TIME else 0
    column = (pl.Series(name, native) + shift).cast(kind)
    if kind == pl.Float64 and np.isnan(native).any():
        return column.fill_nan(None)
    return column


def write_frame(
    connection: psycopg.Connection,
    table: LiteralString,
    frame: pl.DataFrame,
    schema: Mapping[str, pl.DataType],
) -> None:
    """Append rows to a table, cast to the types of `schema`, which are the table's.

    Args:
        connection: may insert into the table.
        table: qualified by its schema.
        frame: holds the columns of `schema`; of them the last may have nulls.
        schema: the table's columns in any order.

    Raises:
        ValueError: a null in another column.
        polars.exceptions.InvalidOperationError: a value that its column cannot hold.
    """
    typed = frame.select(pl.col(name).cast(kind) for name, kind in schema.items())
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.SQL(table), sql.SQL(", ").join(map(sql.Identifier, schema))
    )
    missing = typed.to_series(-1).is_null()
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(COPY_HEADER)
        for part in (typed.filter(~missing), typed.filter(missing)) if missing.any() else (typed,):
            copy.write(encoded(part))
        copy.write(COPY_TRAILER)


def encoded(frame: pl.DataFrame) -> bytes:
    """Rows in the binary COPY format, without header and trailer.

    Args:
        frame: columns of the types of `WIRE`; the last may be null in every row or in none.

    Raises:
        TypeError: a column of another type.
        ValueError: a null where none can be written.
    """
    for name, kind in frame.schema.items():
        if kind not in WIRE:
            raise TypeError(f"column {name} is {kind}, which has no binary form here")
    *others, last = frame.iter_columns()
    is_null = len(last) > 0 and last.null_count() == len(last)
    if any(column.null_count() for column in others) or (last.null_count() and not is_null):
        raise ValueError(f"a null among {frame.columns}: only the last column may be null")
    layout = _layout(frame.dtypes, last_is_null=is_null)
    rows = np.zeros(len(frame), layout)
    rows["fields"] = frame.width
    for at, column in enumerate(frame.iter_columns()):
        if is_null and at == frame.width - 1:
            rows[f"length_{at}"] = -1
            continue
        rows[f"length_{at}"] = layout[f"value_{at}"].itemsize
        shift = EPOCH_2000_US if column.dtype == UTC_TIME else 0
        rows[f"value_{at}"] = column.to_physical().to_numpy() - shift
    return rows.tobytes()


def _layout(kinds: Iterable[pl.DataType], *, last_is_null: bool = False) -> np.dtype[np.void]:
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for at, kind in enumerate(kinds):
        fields += [(f"length_{at}", ">i4"), (f"value_{at}", WIRE[kind].form)]
    return np.dtype(fields[:-1] if last_is_null else fields)
