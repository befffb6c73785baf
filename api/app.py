"""The ASGI app: every route, and what stands around them.

A request passes, from the outside in: the front, which answers hot reads from what is kept
(`api/hot/front.py`), response headers (`before_send`), the count of strays, routing,
authentication (who asks), the limit of its class, the answer it was given before
(Idempotency-Key), the guard of its route (may they), the check of its address and body, then
the route, whose SQL runs as that person.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import ASGIMiddleware

from api import health, measurements
from api.accounts import routes as accounts
from api.accounts import terms
from api.admin import audit as admin_audit
from api.admin import business, dagster_session
from api.admin import health as admin_health
from api.admin import payouts as admin_payouts
from api.admin import runs as admin_runs
from api.admin import users as admin_users
from api.api_keys import routes as api_keys
from api.audit_log import routes as audit_log
from api.auth import confirmation, email_change, password_routes, session_routes, totp_routes
from api.auth import routes as auth
from api.auth.cookies import send_cookies
from api.auth.middleware import Authentication
from api.bars import export as bars_export
from api.bars import routes as bars
from api.billing import checkout, refunds, webhook
from api.bodies import BODY_BYTES_AT_MOST, check_request
from api.data_source_keys import routes as data_source_keys
from api.deprecation import announce
from api.events import routes as events
from api.events.hub import Hub
from api.exception_handlers import HANDLERS
from api.forecasts import export as forecast_export
from api.forecasts import routes as forecasts
from api.formats.answers import Answer
from api.formats.head import without_body
from api.hot.front import Front
from api.idempotency.middleware import Idempotency
from api.installation import Installation, install, provide_context
from api.invoices import routes as invoices
from api.limits.middleware import RouteLimits, Strays
from api.log import evidence, verifier_files
from api.log import routes as log
from api.mail import link_page
from api.mail import routes as mail
from api.mail.delivery import delivering
from api.mail.smtp import mail_server
from api.measurements import Measurements
from api.methods import complete_allow
from api.openapi import complete, openapi_config
from api.openapi_document import show_openapi
from api.performance import metrics
from api.performance import routes as performance
from api.playback import routes as playback
from api.provider import routes as provider
from api.response_headers import request_id, response_headers
from api.settings import ApiSettings
from api.signals import moves, offers, origin, runs, versions
from api.signals import routes as signals
from api.signing_keys import routes as signing_keys
from api.subscriptions import agreement
from api.subscriptions import routes as subscriptions
from api.tracing import traced
from api.track_record import routes as track_record
from api.ui import routes as ui
from api.webhooks import delivery_routes as webhook_deliveries
from api.webhooks import routes as webhooks
from api.webhooks.delivering import Deliveries
from api.webhooks.sending import Sender
from api.webhooks.targets import Resolver, Targets
from sql import logs

ROUTES: list[Router | HTTPRouteHandler] = [
    health.healthz,
    health.readyz,
    measurements.metrics,
    auth.router,
    confirmation.router,
    password_routes.router,
    email_change.router,
    session_routes.router,
    totp_routes.router,
    accounts.router,
    terms.show_terms,
    terms.accept_terms,
    mail.list_mail,
    link_page.show_mail_link,
    api_keys.router,
    signing_keys.router,
    signals.router,
    versions.router,
    moves.router,
    origin.router,
    origin.list_provenance_keys,
    runs.router,
    performance.router,
    metrics.list_metrics,
    track_record.router,
    track_record.get_reproduction,
    forecasts.router,
    forecasts.my_latest_forecasts,
    forecast_export.export_forecasts,
    playback.router,
    events.stream_events,
    subscriptions.router,
    agreement.router,
    offers.router,
    checkout.show_checkout,
    checkout.pay_checkout,
    webhook.receive_payment_event,
    refunds.refund_payment,
    bars.router,
    bars_export.export_bars,
    log.router,
    log.log_proof,
    evidence.router,
    verifier_files.verifier_file,
    ui.show_page,
    ui.show_asset,
    webhooks.router,
    webhook_deliveries.router,
    invoices.router,
    provider.router,
    business.router,
    admin_payouts.router,
    data_source_keys.router,
    audit_log.list_own_acts,
    admin_audit.list_acts,
    admin_users.list_users,
    admin_runs.list_all_runs,
    admin_health.admin_health,
    dagster_session.router,
]

DEPENDENCIES = {"context": Provide(provide_context)}


class Api(Litestar):
    """Hot reads before the router, and HEAD as GET without its body."""

    front: Front
    measurements: Measurements

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, without_body(send)
        if scope["method"] == "GET" and await self.front.answers(scope, send):
            self.measurements.hot.inc()
            return
        send = self.measurements.counted(scope["method"], send)
        scope.setdefault("state", {})
        with logs.bound(request_id=request_id(scope)), traced(scope, send) as answering:
            await super().__call__(scope, receive, answering)


def create_app(settings: ApiSettings) -> Litestar:
    """The API of one installation; it reaches for its database when it starts.

    Raises:
        ConfigurationError: the secret is absent or too short.
        ValueError: a demo clock in production.
    """
    installation = install(settings)
    hub = Hub(installation)
    deliveries = _deliveries(installation, hub)
    app = Api(
        route_handlers=[*ROUTES, show_openapi],
        middleware=_middleware(installation),
        dependencies=DEPENDENCIES,
        before_request=check_request,
        response_class=Answer,
        before_send=[
            response_headers(installation.clock),
            announce,
            complete_allow,
            send_cookies,
        ],
        exception_handlers=HANDLERS,
        openapi_config=None,
        lifespan=[
            _is_connected(installation),
            _events_flow(hub, deliveries),
            _mail_is_delivered(installation),
        ],
        state=State(
            {
                "installation": installation,
                "events": hub,
                "deliveries": deliveries,
                "measurements": Measurements(installation, hub.count),
            }
        ),
        request_max_body_size=BODY_BYTES_AT_MOST,
        # Unhandled errors are logged once, by the handler that answers them.
        logging_config=None,
    )
    app.front = Front(installation)
    app.measurements = app.state.measurements
    if settings.rate_limits != "off":
        # No middleware sees an address without a route.
        app.asgi_handler = Strays(app.asgi_handler, installation.limits, installation.known_keys)
    return app


def _middleware(installation: Installation) -> list[ASGIMiddleware]:
    who, again = Authentication(installation), Idempotency(installation)
    if installation.settings.rate_limits == "off":
        return [who, again]
    return [who, RouteLimits(installation.limits), again]


def describe_app() -> Litestar:
    """The routes without an installation: enough for their description."""
    app = Litestar(
        route_handlers=ROUTES,
        dependencies=DEPENDENCIES,
        openapi_config=openapi_config(),
        logging_config=None,
    )
    complete(app)
    return app


def _is_connected(
    installation: Installation,
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await installation.pool.open(wait=False)
        listening = asyncio.create_task(installation.listener.run())
        try:
            yield
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
            await installation.pool.close()
            if installation.stripe is not None:
                installation.stripe.client.close()

    return lifespan


def _deliveries(installation: Installation, hub: Hub) -> Deliveries:
    is_private = installation.settings.webhook_targets == "private"
    return Deliveries(installation, hub, Sender(Targets(private=is_private, resolve=Resolver())))


def _events_flow(
    hub: Hub, deliveries: Deliveries
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(hub.run()), asyncio.create_task(deliveries.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await deliveries.sender.close()

    return lifespan


def _mail_is_delivered(
    installation: Installation,
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    server = mail_server(installation.settings)
    return lambda _: delivering(installation, server)
