"""Columns of many rows as Postgres arrays, in the binary format.

psycopg dumps a list value by value, through regular expressions where it holds text:
of a statement that inserts ten thousand rows that was the largest part. Here each
distinct value is encoded once, and the rest is one `join`.

    connection.execute("... from unnest(%s) ...", [int8s([1, 2])])
"""

import struct
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar, TypeVar

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

V = TypeVar("V", bound=Hashable)

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NULL = b"\xff\xff\xff\xff"
HEADER = struct.Struct(">iiIii")
LENGTH = struct.Struct(">i")
INT4, INT8, FLOAT8 = struct.Struct(">ii"), struct.Struct(">iq"), struct.Struct(">id")


class Column:
    """An array as it goes over the wire; made by the functions below."""

    oid: ClassVar[int]
    element: ClassVar[int]

    def __init__(self, values: Sequence[V | None], encode: Callable[[V], bytes]) -> None:
        """Encode each distinct value once."""
        encoded = {value: NULL if value is None else encode(value) for value in set(values)}
        header = HEADER.pack(1, None in encoded, self.element, len(values), 1)
        self.data = header + b"".join(map(encoded.__getitem__, values))


class _Int4(Column):
    oid, element = 1007, 23


class _Int8(Column):
    oid, element = 1016, 20


class _Float8(Column):
    oid, element = 1022, 701


class _Text(Column):
    oid, element = 1009, 25


class _Bytea(Column):
    oid, element = 1001, 17


class _Timestamptz(Column):
    oid, element = 1185, 1184


def int4s(values: Sequence[int | None]) -> Column:
    return _Int4(values, lambda value: INT4.pack(4, value))


def int8s(values: Sequence[int | None]) -> Column:
    return _Int8(values, lambda value: INT8.pack(8, value))


def float8s(values: Sequence[float | None]) -> Column:
    # By their spelling: 0.0 and -0.0 are equal, and are not the same.
    return _Float8([None if value is None else repr(float(value)) for value in values],
                   lambda spelt: FLOAT8.pack(8, float(spelt)))  # fmt: skip


def texts(values: Sequence[str | None]) -> Column:
    return _Text(values, lambda value: _sized(value.encode()))


def byteas(values: Sequence[bytes | None]) -> Column:
    return _Bytea(values, _sized)


def timestamptzs(values: Sequence[datetime | None]) -> Column:
    return _Timestamptz(values, lambda at: INT8.pack(8, (at - EPOCH) // MICROSECOND))


def _sized(data: bytes) -> bytes:
    return LENGTH.pack(len(data)) + data


def _register(kind: type[Column]) -> None:
    class ColumnDumper(Dumper):
        oid = kind.oid
        format = Format.BINARY

        def dump(self, obj: Column) -> bytes:
            return obj.data

    psycopg.adapters.register_dumper(kind, ColumnDumper)


for _kind in (_Int4, _Int8, _Float8, _Text, _Bytea, _Timestamptz):
    _register(_kind)
