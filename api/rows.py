"""Rows of raw SQL as structs: the columns' names are the fields' names."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, TypeVar

import msgspec
import psycopg
from psycopg.rows import dict_row

S = TypeVar("S", bound=msgspec.Struct)

Values = Mapping[str, Any] | Sequence[Any]


async def fetch_all(
    connection: psycopg.AsyncConnection, kind: type[S], query: LiteralString, values: Values
) -> list[S]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        return [msgspec.convert(row, kind) for row in await cursor.fetchall()]


async def fetch_one(
    connection: psycopg.AsyncConnection, kind: type[S], query: LiteralString, values: Values
) -> S | None:
    rows = await fetch_all(connection, kind, query, values)
    return rows[0] if rows else None
