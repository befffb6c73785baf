"""GET .../playback, .../playback/range: at an instant, what could be seen then and nothing later.

Theory of operation: bars, forecasts and misses are insert-only, and each row has the instant at
which it became known. What was known at an instant is then a prefix of one list that only grows,
and what came between two instants is a piece of it. The route reads such pieces; whoever plays
puts them together and holds nothing that was not to be seen yet. There is no outcome and no
score here: both follow from bars that come later in the list.

Two things were never seen at the instant that is given for them: replayed and backfilled
forecasts, which come only if asked for, and bars of an imported past. Both say so, row by row.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, LiteralString

import msgspec
import psycopg
from litestar import Router, get
from litestar.params import FromPath, QueryParameter

from api.auth.guards import anyone_with
from api.forecasts.routes import Provenances, check_readable, provenances_of
from api.forecasts.stored import revealed_until
from api.formats.answers import ETAG
from api.installation import Context, RequestContext
from api.instants import instant
from api.playback import stored
from api.playback.columns import Playback
from api.playback.written import playback_of
from api.problems import invalid_field
from api.rows import fetch_all
from api.signals.lookup import KnownSignal, find_signal

HOURS_BY_DEFAULT = 8_760
HOURS_AT_MOST = 8_784
SECOND = timedelta(seconds=1)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=HOURS_AT_MOST)

At = Annotated[datetime, QueryParameter(description="nothing known later; cut to now")]
Since = Annotated[datetime | None, QueryParameter(description="only what became known after it")]
From = Annotated[
    datetime | None,
    QueryParameter(
        name="from", description="bars that open, and slots, at or after; 8,760 hours before `at`"
    ),
]


@get("/", guards=[anyone_with("read")], opt={ETAG: True})
async def get_playback(
    provider: FromPath[str],
    name: FromPath[str],
    context: RequestContext,
    at: At,
    since: Since = None,
    from_: From = None,
    symbol: Annotated[str | None, QueryParameter(max_length=32)] = None,
    horizon: Annotated[int | None, QueryParameter(ge=1, le=168)] = None,
    provenance: Provenances = None,
) -> Playback:
    """Bars, forecasts and misses that became known in (since, at], in that order.

    `live` and `late` forecasts unless `provenance` asks for others. Without a subscription:
    up to `until` of .../playback/range.
    """
    until = min(_whole("at", at), _whole("at", context.now))
    after = None if since is None else _whole("since", since)
    interval = stored.Interval(start=_start(from_, until), since=after, until=until)
    provenances = provenances_of(provenance)
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        # A slot is at or before whatever is known of it.
        reach = {"provenance": provenances, "to": until + SECOND}
        await check_readable(connection, context, signal, reach)
        instruments = await stored.instruments(connection, signal.id, symbol)
        if symbol is not None and not instruments:
            raise invalid_field("symbol", f"{signal.signal} does not forecast {symbol}")
        versions = await stored.versions(connection, signal.id)
        filters = {
            "instrument_ids": [one.id for one in instruments],
            "version_ids": [one.id for one in versions],
            "provenance": provenances,
            "horizon": horizon,
            "deadline": timedelta(minutes=context.settings.live_deadline_minutes),
        }
        rows, next_ = await stored.read(connection, interval, filters)
    return playback_of(
        signal.signal,
        interval,
        next_,
        context.settings.live_deadline_minutes,
        (instruments, versions),
        rows,
    )


class FirstSlot(msgspec.Struct, frozen=True):
    provenance: str
    first: datetime


class PlaybackRange(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to play.

    Attributes:
        until: newest instant that who asks may play to; null: none.
        entitled: they may read everything, replayed and backfilled slots too.
        first_slots: the first slot of each provenance as it was recorded, misses among them.
    """

    signal: str
    until: datetime | None
    entitled: bool
    live_deadline_minutes: int
    first_slots: list[FirstSlot]


FIRST_SLOTS: LiteralString = """
select r.provenance, min(r.slot) as first
from forecast.slot_record r join registry.version v on v.id = r.version_id
where v.signal_id = %s and v.published_at is not null
group by r.provenance order by first, r.provenance
"""


@get("/range", guards=[anyone_with("read")])
async def get_playback_range(
    provider: FromPath[str], name: FromPath[str], context: RequestContext
) -> PlaybackRange:
    """Up to which instant who asks may play, and where each provenance begins."""
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        return PlaybackRange(
            signal=signal.signal,
            until=await _readable_until(connection, context, signal),
            entitled=signal.entitled,
            live_deadline_minutes=context.settings.live_deadline_minutes,
            first_slots=await fetch_all(connection, FirstSlot, FIRST_SLOTS, [signal.id]),
        )


async def _readable_until(
    connection: psycopg.AsyncConnection, context: Context, signal: KnownSignal
) -> datetime | None:
    now = _whole("now", context.now)
    if signal.entitled:
        return now
    if signal.visibility != "public":
        return None
    hidden_from = await revealed_until(connection, signal.id, context.now)
    return None if hidden_from is None else min(now, hidden_from - SECOND)


def _whole(name: str, given: datetime) -> datetime:
    """The second that it is in, UTC.

    Raises:
        Problem: invalid_request, it has no zone, or is no instant of ours.
    """
    instant(name, given)
    try:
        return given.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise invalid_field(name, "is out of range") from None


def _start(given: datetime | None, until: datetime) -> datetime:
    if until < EARLIEST:
        raise invalid_field("at", f"is before {EARLIEST:%Y-%m-%d}")
    if given is None:
        return until - timedelta(hours=HOURS_BY_DEFAULT)
    start = _whole("from", given)
    if until - start > timedelta(hours=HOURS_AT_MOST):
        raise invalid_field("from", f"is more than {HOURS_AT_MOST} hours before `at`")
    return start


router = Router(
    "/v1/signals/{provider:str}/{name:str}/playback",
    route_handlers=[get_playback, get_playback_range],
    tags=["forecasts"],
)
