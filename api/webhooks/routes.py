"""POST|GET /v1/webhooks, GET|PATCH|DELETE /v1/webhooks/{webhook_id}, POST .../rotate-secret."""

import uuid
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api import audit
from api.accounts.standing import demand_good_standing
from api.auth.guards import signed_in
from api.bodies import Body
from api.installation import RequestContext
from api.pages import Page
from api.problems import Problem, invalid_field
from api.webhooks import stored
from api.webhooks.delivering import Deliveries
from api.webhooks.signing import new_secret, shown
from api.webhooks.stored import EventType, Webhook, WebhookWithSecret
from api.webhooks.targets import URL_CHARACTERS, BadTargetError, Targets, port_of

WEBHOOKS_AT_MOST = 20
OLD_SECRET_VALID = timedelta(hours=24)

Url = Annotated[str, Meta(min_length=1, max_length=URL_CHARACTERS)]
Events = Annotated[set[EventType], Meta(min_length=1)]
Description = Annotated[str, Meta(max_length=200)]
AnyRequest = Request[Any, Any, Any]


class NewWebhook(Body, frozen=True):
    """`events` are types as docs/subscriber/webhooks.md lists them."""

    url: Url
    events: Events
    description: Description = ""


class WebhookChange(Body, frozen=True):
    """What is null or absent stays as it is."""

    url: Url | None = None
    events: Events | None = None
    description: Description | None = None
    is_enabled: bool | None = None


@post("/", guards=[signed_in()])
async def create_webhook(
    request: AnyRequest, data: JSONBody[NewWebhook], context: RequestContext
) -> WebhookWithSecret:
    """Send events to an address from now on."""
    sending: Deliveries = request.app.state.deliveries
    url, host = await _target(sending.sender.targets, data.url)
    webhook_id, user_id, secret = uuid.uuid4(), context.person.user_id, new_secret()
    async with context.transaction() as connection:
        await demand_good_standing(connection, context)
        if len(await stored.webhooks(connection, user_id)) >= WEBHOOKS_AT_MOST:
            raise Problem(
                "too_many_webhooks", f"You have {WEBHOOKS_AT_MOST}: delete one that is not needed."
            )
        await connection.execute(
            "insert into account.webhook (id, user_id, url, host, events, description, secret,"
            " created_at, not_before) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                *(webhook_id, user_id, url, host, sorted(data.events), data.description),
                sending.secrets.seal(secret, webhook_id, user_id),
                *(context.world_now, context.world_now),
            ],
        )
        await audit.record(connection, context.now, user_id, "webhook.create", str(webhook_id))
        made = await stored.webhook(connection, user_id, webhook_id)
    return _with_secret(made, secret)


@get("/", guards=[signed_in("read")])
async def list_webhooks(context: RequestContext) -> Page[Webhook]:
    """All of mine, without their secrets."""
    async with context.transaction() as connection:
        return Page(await stored.webhooks(connection, context.person.user_id))


@get("/{webhook_id:uuid}", guards=[signed_in("read")])
async def get_webhook(webhook_id: FromPath[uuid.UUID], context: RequestContext) -> Webhook:
    """Where it sends, what, and how it is doing."""
    async with context.transaction() as connection:
        return await stored.webhook(connection, context.person.user_id, webhook_id)


@patch("/{webhook_id:uuid}", guards=[signed_in()])
async def update_webhook(
    request: AnyRequest,
    webhook_id: FromPath[uuid.UUID],
    data: JSONBody[WebhookChange],
    context: RequestContext,
) -> Webhook:
    """Change it, or enable it again; its secret stays."""
    sending: Deliveries = request.app.state.deliveries
    user_id = context.person.user_id
    url, host = (None, None)
    if data.url is not None:
        url, host = await _target(sending.sender.targets, data.url)
    async with context.transaction() as connection:
        await stored.webhook(connection, user_id, webhook_id)
        await connection.execute(
            "update account.webhook set url = coalesce(%s, url), host = coalesce(%s, host),"
            " events = coalesce(%s, events), description = coalesce(%s, description)"
            " where id = %s",
            [url, host, sorted(data.events) if data.events else None, data.description, webhook_id],
        )
        if data.is_enabled is True:
            await connection.execute(
                "update account.webhook set disabled_at = null, disabled_why = null,"
                " failing_since = null, failures = 0, not_before = %s"
                " where id = %s and disabled_at is not null",
                [context.world_now, webhook_id],
            )
        elif data.is_enabled is False:
            await connection.execute(
                "update account.webhook set disabled_at = %s, disabled_why = 'owner'"
                " where id = %s and disabled_at is null",
                [context.world_now, webhook_id],
            )
        await audit.record(connection, context.now, user_id, "webhook.update", str(webhook_id))
        changed = await stored.webhook(connection, user_id, webhook_id)
    sending.wake()
    return changed


@delete("/{webhook_id:uuid}", guards=[signed_in()])
async def delete_webhook(webhook_id: FromPath[uuid.UUID], context: RequestContext) -> None:
    """Erase it, with what was to be sent there."""
    user_id = context.person.user_id
    async with context.transaction() as connection:
        await stored.webhook(connection, user_id, webhook_id)
        await connection.execute(
            "delete from account.webhook_delivery where webhook_id = %s", [webhook_id]
        )
        await connection.execute("delete from account.webhook where id = %s", [webhook_id])
        await audit.record(connection, context.now, user_id, "webhook.delete", str(webhook_id))


@post("/{webhook_id:uuid}/rotate-secret", guards=[signed_in()], status_code=200)
async def rotate_webhook_secret(
    request: AnyRequest, webhook_id: FromPath[uuid.UUID], context: RequestContext
) -> WebhookWithSecret:
    """A new secret; for 24 hours deliveries carry signatures by both."""
    sending: Deliveries = request.app.state.deliveries
    user_id, secret = context.person.user_id, new_secret()
    async with context.transaction() as connection:
        found = await stored.webhook(connection, user_id, webhook_id)
        await connection.execute(
            "update account.webhook set old_secret = secret, old_secret_until = %s, secret = %s"
            " where id = %s",
            [
                context.world_now + OLD_SECRET_VALID,
                sending.secrets.seal(secret, webhook_id, user_id),
                webhook_id,
            ],
        )
        await audit.record(connection, context.now, user_id, "webhook.rotate", str(webhook_id))
    return _with_secret(found, secret)


async def _target(targets: Targets, text: str) -> tuple[str, str]:
    """An address in normal form, and its host and port.

    Raises:
        Problem: invalid_request, if nothing may be sent there.
    """
    try:
        url = targets.read(text)
        await targets.addresses(url.host, port_of(url))
    except BadTargetError as error:
        raise invalid_field("url", str(error)) from None
    return str(url), f"{url.host}:{port_of(url)}"


def _with_secret(webhook: Webhook, secret: bytes) -> WebhookWithSecret:
    return WebhookWithSecret(**msgspec.structs.asdict(webhook), secret=shown(secret))


router = Router(
    "/v1/webhooks",
    route_handlers=[
        create_webhook,
        list_webhooks,
        get_webhook,
        update_webhook,
        delete_webhook,
        rotate_webhook_secret,
    ],
    tags=["webhooks"],
)
