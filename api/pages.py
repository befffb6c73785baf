"""Pages of a list: `{"items": [...], "next": cursor or null}`.

A cursor is the sort key of the last row handed out. It is opaque to clients and
needs no signature: it can only ever continue the list its owner may read.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from api.problems import Problem

T = TypeVar("T")
K = TypeVar("K")

RowId = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="Items on a page")]
Cursor = Annotated[
    str | None, QueryParameter(max_length=500, description="`next` of the page before")
]


class Page(msgspec.Struct, Generic[T], frozen=True):
    items: list[T]
    next: str | None = None


def read_cursor(cursor: str | None, kind: type[K]) -> K | None:
    """The sort key inside a cursor.

    Raises:
        Problem: invalid_cursor.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        key = msgspec.json.decode(raw, type=kind)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise foreign_cursor() from None
    if "\0" in str(key):
        raise foreign_cursor()
    return key


def foreign_cursor() -> Problem:
    """The problem of a cursor that is not one of the list's."""
    return Problem("invalid_cursor", "Send `next` of the last page unchanged, or no cursor.")


def page_of(rows: list[T], limit: int, key: Callable[[T], Any]) -> Page[T]:
    """A page of rows that were read with `limit + 1`, to know whether more follow."""
    if len(rows) <= limit:
        return Page(rows)
    items = rows[:limit]
    raw = msgspec.json.encode(key(items[-1]))
    return Page(items, base64.urlsafe_b64encode(raw).decode().rstrip("="))
