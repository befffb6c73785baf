"""GET /v1/admin/users: who has an account here."""

import uuid
from datetime import datetime
from typing import Annotated, LiteralString

import msgspec
from litestar import get
from litestar.params import QueryParameter
from msgspec import Meta

from api.auth.guards import operator
from api.installation import RequestContext
from api.pages import Cursor, Limit, Page, page_of, read_cursor
from api.rows import fetch_all


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person, and how much is theirs.

    Attributes:
        signals: they provide, private ones included.
        subscriptions: that run now.
        api_keys: neither revoked nor expired.
    """

    id: uuid.UUID
    handle: str
    email: str
    role: str
    created_at: datetime
    signals: int
    subscriptions: int
    api_keys: int


EVERYBODY: LiteralString = """
select id, handle, email, role, created_at, signals, subscriptions, api_keys
from account.everybody(%(q)s, %(before_at)s, %(before_id)s, %(limit)s)
"""


@get("/v1/admin/users", guards=[operator], tags=["admin"])
async def list_users(
    context: RequestContext,
    q: Annotated[
        str | None, QueryParameter(max_length=254, description="Part of handle or e-mail")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Account]:
    """Newest first; the database answers operators alone."""
    before = read_cursor(cursor, tuple[Annotated[datetime, Meta(tz=True)], uuid.UUID])
    values = {
        "q": q,
        "before_at": before and before[0],
        "before_id": before and before[1],
        "limit": limit + 1,
    }
    async with context.transaction() as connection:
        rows = await fetch_all(connection, Account, EVERYBODY, values)
    return page_of(rows, limit, lambda account: (account.created_at, account.id))
