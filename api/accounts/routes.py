"""GET /v1/account/export, POST /v1/account/delete: a person's own data, and its end."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import JSONBody
from psycopg.rows import dict_row

from api import audit
from api.accounts.held import OBSTACLES, SECTIONS
from api.auth import accounts, login_throttle, password_check
from api.auth.fields import ShownPassword
from api.auth.guards import signed_in
from api.bodies import Body
from api.installation import RequestContext
from api.problems import Problem

EXPORT_HEADERS = {
    "Content-Disposition": 'attachment; filename="signalbox-account.json"',
    "Cache-Control": "no-store",
}


class Export(msgspec.Struct, frozen=True):
    """`held` has a list of rows for each of our tables that names you."""

    exported_at: datetime
    held: dict[str, list[dict[str, Any]]]


class AccountDeletion(Body, frozen=True):
    password: ShownPassword


@get("/export", guards=[signed_in()])
async def export_account(context: RequestContext) -> Response[Export]:
    """Everything held about you, as one document."""
    user_id = context.person.user_id
    held: dict[str, list[dict[str, Any]]] = {}
    async with (
        context.transaction() as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        await audit.record(connection, context.now, user_id, "account.export", str(user_id))
        for table, query in SECTIONS.items():
            await cursor.execute(query, {"user_id": user_id})
            held[table] = await cursor.fetchall()
    return Response(Export(context.now, held), headers=EXPORT_HEADERS)


@post("/delete", status_code=204, guards=[signed_in()])
async def delete_account(
    data: JSONBody[AccountDeletion], request: Request[Any, Any, Any], context: RequestContext
) -> None:
    """Erase what is personal and end every login and key. Your handle stays used for ever.

    What is on record about your signals and payments stays, under an id without a name.
    """
    person = await password_check.check_own(context, request, data.password)
    values = {"user_id": person.id, "now": context.now}
    async with context.transaction() as connection:
        await accounts.hold(connection, person.id)
        for query, what_to_do in OBSTACLES:
            found = await connection.execute(query, values)
            ((is_open,),) = await found.fetchall()
            if is_open:
                raise Problem("account_in_use", f"First {what_to_do}")
        await login_throttle.forget(connection, context, person.email)
        await audit.record(connection, context.now, person.id, "account.delete", str(person.id))
        await connection.execute("select account.erase_caller(%s)", [context.world_now])


router = Router("/v1/account", route_handlers=[export_account, delete_account], tags=["account"])
