"""GET /v1/webhooks/{webhook_id}/deliveries, POST .../{delivery_id}/redeliver, POST .../ping."""

import uuid
from typing import Any

from litestar import Request, Router, get, post
from litestar.params import FromPath

from api.auth.guards import signed_in
from api.installation import RequestContext
from api.pages import Cursor, Limit, Page
from api.problems import Problem
from api.webhooks import stored
from api.webhooks.delivering import Deliveries
from api.webhooks.stored import Delivery, Webhook

AnyRequest = Request[Any, Any, Any]


@get("/deliveries", guards=[signed_in("read")])
async def list_deliveries(
    webhook_id: FromPath[uuid.UUID],
    context: RequestContext,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Delivery]:
    """Newest first, of the last 30 days."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        await stored.webhook(connection, user_id, webhook_id)
        return await stored.deliveries(connection, user_id, webhook_id, limit, cursor)


@post("/deliveries/{delivery_id:uuid}/redeliver", guards=[signed_in()], status_code=202)
async def redeliver(
    request: AnyRequest,
    webhook_id: FromPath[uuid.UUID],
    delivery_id: FromPath[uuid.UUID],
    context: RequestContext,
) -> Delivery:
    """Send it once more, under the same `webhook-id`, with all its retries before it."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        _demand_enabled(await stored.webhook(connection, user_id, webhook_id))
        await stored.delivery(connection, user_id, webhook_id, delivery_id)
        await connection.execute(
            "update account.webhook_delivery set state = 'pending', attempts = 0,"
            " next_attempt_at = %s where id = %s",
            [context.world_now, delivery_id],
        )
        found = await stored.delivery(connection, user_id, webhook_id, delivery_id)
    _wake(request)
    return found


@post("/ping", guards=[signed_in()], status_code=202)
async def ping_webhook(
    request: AnyRequest, webhook_id: FromPath[uuid.UUID], context: RequestContext
) -> Delivery:
    """Send an event of type `ping`, which says nothing."""
    delivery_id, user_id = uuid.uuid4(), context.person.user_id
    async with context.transaction() as connection:
        _demand_enabled(await stored.webhook(connection, user_id, webhook_id))
        await connection.execute(
            "insert into account.webhook_delivery (id, webhook_id, user_id, type, created_at,"
            " state, next_attempt_at) values (%s, %s, %s, 'ping', %s, 'pending', %s)",
            [delivery_id, webhook_id, user_id, context.world_now, context.world_now],
        )
        made = await stored.delivery(connection, user_id, webhook_id, delivery_id)
    _wake(request)
    return made


def _demand_enabled(webhook: Webhook) -> None:
    if not webhook.is_enabled:
        raise Problem(
            "webhook_disabled",
            f'Enable it first: PATCH /v1/webhooks/{webhook.id} {{"is_enabled": true}}',
        )


def _wake(request: AnyRequest) -> None:
    sending: Deliveries = request.app.state.deliveries
    sending.wake()


router = Router(
    "/v1/webhooks/{webhook_id:uuid}",
    route_handlers=[list_deliveries, redeliver, ping_webhook],
    tags=["webhooks"],
)
