"""Stripe's webhooks: checked, kept, read anew from Stripe, applied."""

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from api.billing import inbox
from api.installation import Context
from api.problems import Problem
from api.rows import fetch_one
from sql.payments.effects import Effect
from sql.payments.errors import PaymentProviderError, SignatureError
from sql.payments.stripe.account import StripeAccount
from sql.payments.stripe.objects import Event
from sql.payments.stripe.observe import NAME, observe
from sql.payments.stripe.signature import demand_signed
from sql.payments.stripe.tell import OURS, OurSubscription, tell


async def receive(
    context: Context, account: StripeAccount, body: bytes, signature: str | None
) -> bool:
    """Whether the event changed anything.

    Raises:
        Problem: invalid_signature; invalid_request where it is none of this account's; or
            payment_provider_unavailable: it is kept, and Stripe sends it again.
    """
    event = _checked(account, body, signature, context.world_now)
    await _keep(context, event)
    if await _had_its_turn(context, event.id):
        return False
    try:
        effects = await asyncio.to_thread(observe, account.client, event.data.object)
    except PaymentProviderError as error:
        raise Problem("payment_provider_unavailable", str(error)) from error
    changed = await _apply(context, event, effects)
    await _answer(context, account, effects)
    return changed


def _checked(account: StripeAccount, body: bytes, signature: str | None, now: datetime) -> Event:
    try:
        demand_signed(account.webhook_secret, signature, body, now)
    except SignatureError as error:
        raise Problem("invalid_signature", str(error)) from None
    try:
        event = msgspec.json.decode(body, type=Event)
    except msgspec.ValidationError as error:
        raise Problem("invalid_request", str(error)) from None
    if event.livemode != account.client.livemode:
        raise Problem("invalid_request", "The event is of Stripe's other mode (livemode).")
    return event


async def _keep(context: Context, event: Event) -> None:
    # What was delivered names people and cards; what we need of it does not.
    payload: dict[str, Any] = msgspec.to_builtins(event)
    async with context.installation.transaction(None, context.now) as connection:
        await inbox.store(connection, NAME, event.id, event.type, payload, context.now)


async def _had_its_turn(context: Context, event_id: str) -> bool:
    async with context.installation.transaction(None, context.now) as connection:
        found = await connection.execute(
            "select 1 from billing.applied_event a"
            " join billing.payment_event e on e.id = a.event_id"
            " where e.provider = %s and e.external_id = %s",
            [NAME, event_id],
        )
        return await found.fetchone() is not None


async def _apply(context: Context, event: Event, effects: list[Effect]) -> bool:
    async with context.installation.transaction(None, context.now) as connection:
        return await inbox.apply(
            connection, NAME, event.id, event.type, effects, context.now, context.settings.grace
        )


async def _answer(context: Context, account: StripeAccount, effects: list[Effect]) -> None:
    """Tell Stripe at once where ours differs, as for a trial that was refused.

    Raises:
        Problem: payment_provider_unavailable; told at night.
    """
    for external_id, ours_id in {(each.external_id, each.subscription) for each in effects}:
        async with context.installation.transaction(None, context.now) as connection:
            ours = await fetch_one(connection, OurSubscription, OURS, {"id": ours_id})
        if ours is None or external_id is None:
            continue
        try:
            theirs = await asyncio.to_thread(account.client.subscription, external_id)
            await asyncio.to_thread(tell, account.client, theirs, ours)
        except PaymentProviderError as error:
            raise Problem("payment_provider_unavailable", str(error)) from error
