"""GET /v1/admin/audit: every act on record."""

from typing import Annotated, LiteralString

from litestar import get
from litestar.params import QueryParameter

from api.audit_log.routes import Act, Action, From, To
from api.auth.guards import operator
from api.installation import RequestContext
from api.instants import instant
from api.pages import Cursor, Limit, Page, RowId, page_of, read_cursor
from api.rows import fetch_all

EVERYBODYS: LiteralString = """
select id, at, actor, action, subject, detail
from audit.of_everybody(%(actor)s, %(action)s, %(subject)s, %(from)s, %(to)s, %(before)s, %(limit)s)
"""


@get("/v1/admin/audit", guards=[operator], tags=["admin"])
async def list_acts(
    context: RequestContext,
    actor: Annotated[str | None, QueryParameter(max_length=40, description="A handle")] = None,
    action: Action = None,
    subject: Annotated[str | None, QueryParameter(max_length=200)] = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Act]:
    """Newest first; the database answers operators alone."""
    values = {
        "actor": actor,
        "action": action,
        "subject": subject,
        "from": instant("from", from_),
        "to": instant("to", to),
        "before": read_cursor(cursor, RowId),
        "limit": limit + 1,
    }
    async with context.transaction() as connection:
        rows = await fetch_all(connection, Act, EVERYBODYS, values)
    return page_of(rows, limit, lambda act: act.id)
