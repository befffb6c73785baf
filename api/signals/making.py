"""POST /v1/signals: reserve a name before the first push; PATCH: what people read of it."""

from typing import Annotated

import psycopg
from litestar import patch, post
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from api import audit
from api.accounts.standing import demand_good_standing
from api.auth.guards import owner, signed_in
from api.bodies import Body
from api.installation import RequestContext
from api.problems import Problem
from api.rows import fetch_one
from api.signals import catalogue
from api.signals.catalogue import Signal
from api.signals.lookup import SignalId, find_signal

# As in a manifest, whose name and title become the signal's with each version.
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$(?!\n)")]
Title = Annotated[str, Meta(min_length=1, max_length=80)]
Description = Annotated[str, Meta(max_length=4000)]


class NewSignal(Body, frozen=True):
    """`title` null is the name."""

    name: Name
    title: Title | None = None
    description: Description = ""


class SignalChange(Body, frozen=True):
    """What is left out stays."""

    title: Title | UnsetType = UNSET
    description: Description | UnsetType = UNSET


@post("/", guards=[signed_in("push")])
async def create_signal(data: JSONBody[NewSignal], context: RequestContext) -> Signal:
    """Make a private signal without a version; the first push of a tag would make it too."""
    person = context.person
    async with context.transaction() as connection:
        await demand_good_standing(connection, context)
        try:
            made = await fetch_one(
                connection,
                SignalId,
                "insert into registry.signal"
                " (provider_id, name, title, description, visibility, created_at)"
                " values (%s, %s, %s, %s, 'private', %s) returning id",
                [
                    *(person.user_id, data.name, data.title or data.name),
                    *(data.description, context.now),
                ],
            )
        except psycopg.errors.UniqueViolation:
            raise Problem(
                "signal_taken", "A name once used stays used: choose another, or push to it."
            ) from None
        assert made is not None  # noqa: S101 - an insert returns its row
        await audit.record(
            connection, context.now, person.user_id, "signal.create", f"{person.handle}/{data.name}"
        )
        return await catalogue.one(connection, context, made.id)


@patch("/{provider:str}/{name:str}", guards=[owner("push")])
async def change_signal(
    provider: FromPath[str],
    name: FromPath[str],
    data: JSONBody[SignalChange],
    context: RequestContext,
) -> Signal:
    """Title and description, until the next version brings its manifest's: write them there too."""
    async with context.transaction() as connection:
        known = await find_signal(connection, context, provider, name)
        if data == SignalChange():
            return await catalogue.one(connection, context, known.id)
        await connection.execute(
            "update registry.signal set title = coalesce(%s, title),"
            " description = coalesce(%s, description) where id = %s",
            [
                None if data.title is UNSET else data.title,
                None if data.description is UNSET else data.description,
                known.id,
            ],
        )
        await audit.record(
            connection, context.now, context.person.user_id, "signal.change", known.signal
        )
        return await catalogue.one(connection, context, known.id)
