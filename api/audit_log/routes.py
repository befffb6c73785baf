"""GET /v1/audit: what I did, and what was done to what is mine."""

from datetime import datetime
from typing import Annotated, Any, LiteralString

import msgspec
from litestar import get
from litestar.params import QueryParameter

from api.auth.guards import signed_in
from api.installation import RequestContext
from api.instants import instant
from api.pages import Cursor, Limit, Page, RowId, page_of, read_cursor
from api.rows import fetch_all

Action = Annotated[
    str | None, QueryParameter(max_length=100, description="Such as api_key.revoke, or api_key")
]
From = Annotated[datetime | None, QueryParameter(name="from", description="at or after")]
To = Annotated[datetime | None, QueryParameter(description="before")]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to what.

    Attributes:
        actor: their handle; null: the platform.
        action: noun.verb.
        subject: what it was done to.
    """

    id: int
    at: datetime
    actor: str | None
    action: str
    subject: str
    detail: dict[str, Any]


OWN: LiteralString = """
select e.id, e.at, u.handle as actor, e.action, e.subject, e.detail
from audit.event e left join account.user_account u on u.id = e.actor_id
where (e.actor_id = %(user_id)s or e.owner_id = %(user_id)s)
  and (%(action)s::text is null or e.action = %(action)s
       or starts_with(e.action, %(action)s || '.'))
  and (%(from)s::timestamptz is null or e.at >= %(from)s)
  and (%(to)s::timestamptz is null or e.at < %(to)s)
  and (%(before)s::bigint is null or e.id < %(before)s)
order by e.id desc limit %(limit)s
"""


@get("/v1/audit", guards=[signed_in("read")], tags=["audit"])
async def list_own_acts(
    context: RequestContext,
    action: Action = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Act]:
    """Newest first: keys made, revoked and used after that, versions moved, payments, ..."""
    values = {
        "user_id": context.person.user_id,
        "action": action,
        "from": instant("from", from_),
        "to": instant("to", to),
        "before": read_cursor(cursor, RowId),
        "limit": limit + 1,
    }
    async with context.transaction() as connection:
        rows = await fetch_all(connection, Act, OWN, values)
    return page_of(rows, limit, lambda act: act.id)
