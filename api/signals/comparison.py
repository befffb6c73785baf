"""GET /v1/signals/compare, GET .../{provider}/{name}/marginal: signals beside each other."""

from typing import Annotated

import msgspec
import psycopg
from litestar import get
from litestar.params import FromPath, QueryParameter

from api.auth.guards import anyone, anyone_with
from api.forecasts.stored import subscribed
from api.installation import Context, RequestContext
from api.rows import fetch_all
from api.signals import catalogue, common_hours
from api.signals.catalogue import Signal
from api.signals.common_hours import COMMON_HOURS_AT_LEAST
from api.signals.lookup import KnownSignal, find_signal

NAME = "[a-z0-9-]{1,40}/[a-z0-9-]{1,40}"
Compared = Annotated[
    str,
    QueryParameter(
        pattern=f"^{NAME}(,{NAME}){{1,4}}$(?!\n)",
        max_length=405,
        description="Two to five of provider/name, by commas",
    ),
]
Held = Annotated[
    str | None,
    QueryParameter(
        pattern=f"^{NAME}(,{NAME}){{0,49}}$(?!\n)",
        max_length=4050,
        description="Up to fifty of provider/name, by commas; without it, what you subscribe to",
    ),
]


class Correlation(msgspec.Struct, frozen=True, kw_only=True):
    """Of the hourly net returns of two signals' trading rules.

    Attributes:
        hours: that both have.
        correlation: Pearson's, -1 to 1.
        reason: why it is null.
    """

    a: str
    b: str
    hours: int
    correlation: float | None
    reason: str | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Signals as asked for, with headlines and offers; each pair's correlation once."""

    signals: list[Signal]
    correlations: list[Correlation]
    common_hours_at_least: int


class Marginal(msgspec.Struct, frozen=True, kw_only=True):
    """What a signal would do to a portfolio that holds others in equal parts.

    Attributes:
        held: the others; the signal itself is left out.
        hours: that all of them have.
        correlation: of the signal's hourly net return with the portfolio's, -1 to 1.
        sharpe_held: annualised Sharpe ratio of the portfolio.
        sharpe_with: the same, when the signal is added in an equal part.
        sharpe_change: sharpe_with - sharpe_held.
        hours_per_year: by which both are annualised.
        reason: why numbers are null.
    """

    signal: str
    held: list[str]
    hours: int
    correlation: float | None
    sharpe_held: float | None
    sharpe_with: float | None
    sharpe_change: float | None
    hours_per_year: float
    common_hours_at_least: int
    reason: str | None


class _Name(msgspec.Struct, frozen=True):
    id: int
    signal: str


@get("/compare", guards=[anyone])
async def compare_signals(context: RequestContext, signals: Compared) -> Comparison:
    """Headlines, offers, and how the hourly returns of the signals' rules go together.

    Returns are what each declared trading rule earned net of costs, live slots only.
    """
    async with context.transaction() as connection:
        known = {one.id: one for one in await _named(connection, context, signals)}
        shown = await catalogue.some(connection, context, list(known))
        pairs = await common_hours.correlations(connection, list(known))
    return Comparison(
        signals=shown,
        correlations=[
            Correlation(
                a=known[pair.a].signal,
                b=known[pair.b].signal,
                hours=pair.hours,
                correlation=pair.correlation if pair.hours >= COMMON_HOURS_AT_LEAST else None,
                reason=common_hours.why_unknown(pair.hours, pair.correlation),
            )
            for pair in pairs
        ],
        common_hours_at_least=COMMON_HOURS_AT_LEAST,
    )


@get("/{provider:str}/{name:str}/marginal", guards=[anyone_with("read")])
async def get_marginal(
    provider: FromPath[str], name: FromPath[str], context: RequestContext, held: Held = None
) -> Marginal:
    """What adding the signal would do to the Sharpe ratio of what you hold, in equal parts."""
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        others = await _held(connection, context, held)
        others.pop(signal.id, None)
        per_year = await common_hours.hours_per_year(connection, signal.id)
        if not others:
            return _unknown(signal, [], 0, per_year, "nothing else is held")
        found = await common_hours.addition(connection, signal.id, list(others), per_year)
    names = list(others.values())
    if found.sharpe_held is None or found.sharpe_with is None or found.correlation is None:
        reason = common_hours.why_unknown(found.hours, None)
        return _unknown(signal, names, found.hours, per_year, reason)
    if found.hours < COMMON_HOURS_AT_LEAST:
        reason = common_hours.why_unknown(found.hours)
        return _unknown(signal, names, found.hours, per_year, reason)
    return Marginal(
        signal=signal.signal,
        held=names,
        hours=found.hours,
        correlation=found.correlation,
        sharpe_held=found.sharpe_held,
        sharpe_with=found.sharpe_with,
        sharpe_change=found.sharpe_with - found.sharpe_held,
        hours_per_year=per_year,
        common_hours_at_least=COMMON_HOURS_AT_LEAST,
        reason=None,
    )


def _unknown(
    signal: KnownSignal, held: list[str], hours: int, per_year: float, reason: str | None
) -> Marginal:
    return Marginal(
        signal=signal.signal,
        held=held,
        hours=hours,
        correlation=None,
        sharpe_held=None,
        sharpe_with=None,
        sharpe_change=None,
        hours_per_year=per_year,
        common_hours_at_least=COMMON_HOURS_AT_LEAST,
        reason=reason,
    )


async def _named(
    connection: psycopg.AsyncConnection, context: Context, names: str
) -> list[KnownSignal]:
    """Those that the asker may know of.

    Raises:
        Problem: not_found, for the first that is not one of these.
    """
    parted = (name.partition("/") for name in names.split(","))
    return [await find_signal(connection, context, provider, name) for provider, _, name in parted]


async def _held(
    connection: psycopg.AsyncConnection, context: Context, names: str | None
) -> dict[int, str]:
    """Ids and names: those named, or those that who asks subscribes to."""
    if names is not None:
        return {one.id: one.signal for one in await _named(connection, context, names)}
    ids = await subscribed(connection, context.person.user_id)
    found = await fetch_all(
        connection,
        _Name,
        "select g.id, p.handle || '/' || g.name as signal from registry.signal g"
        " join account.user_account p on p.id = g.provider_id where g.id = any (%s) order by 2",
        [ids],
    )
    return {one.id: one.signal for one in found}
