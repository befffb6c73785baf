"""GET /v1/stream: server-sent events (WHATWG HTML, section 9.2), resumable without a gap."""

import re
from typing import Annotated, Any

from litestar import Request, get
from litestar.params import HeaderParameter, QueryParameter

from api.auth.guards import signed_in
from api.events.credential import credential_of
from api.events.hub import Hub
from api.events.listening import Listening
from api.events.positions import ForeignPositionError, Position
from api.events.response import EventStream, Telling
from api.installation import Context, RequestContext
from api.problems import Problem, invalid_field
from api.signals.lookup import find_signal

SIGNAL = re.compile(r"[a-z0-9-]{1,64}/[a-z0-9-]{1,64}")
SIGNALS_AT_MOST = 50
RETRY_AFTER_S = 5

Signals = Annotated[
    str | None,
    QueryParameter(max_length=4000, description="provider/name, by commas; all of mine without"),
]
LastEventId = Annotated[
    str | None,
    QueryParameter(max_length=200, description="As the header Last-Event-ID, which goes first"),
]
Seconds = Annotated[
    int | None, QueryParameter(ge=0, le=86_400, description="End after so long; 0: what is missed")
]
LastEventIdHeader = Annotated[str | None, HeaderParameter(name="Last-Event-ID", max_length=200)]


@get("/v1/stream", guards=[signed_in("read")], tags=["events"], media_type="text/event-stream")
async def stream_events(
    request: Request[Any, Any, Any],
    context: RequestContext,
    signals: Signals = None,
    last_event_id: LastEventId = None,
    seconds: Seconds = None,
    resume_after: LastEventIdHeader = None,
) -> EventStream:
    """Events as they happen; with the id of the last one received, those since then first.

    Types: `forecast` and `missed` of signals that I may read, `version.live`,
    `version.offline` and `version.retired` of their versions, `version.building` and
    `version.rejected` of what I push, and `subscription.*`, `payment.*` and `offer.*` of mine.
    docs/subscriber/stream.md shows each.
    """
    hub: Hub = request.app.state.events
    caller = context.person
    if not hub.has_room_for(caller.user_id):
        raise Problem(
            "too_many_streams",
            f"You have {context.settings.streams_per_person} open, or this server has no room:"
            " close one, or wait a moment.",
            retry_after_s=RETRY_AFTER_S,
        )
    after = await _position(hub, last_event_id if resume_after is None else resume_after)
    wanted = None if signals is None else await _signal_ids(context, signals)
    credential = credential_of(
        caller, request.headers["authorization"], context.settings.environment
    )
    stream = Listening(caller.user_id, credential, wanted)
    return EventStream(Telling(context.installation, hub, stream, after, seconds))


async def _position(hub: Hub, text: str | None) -> Position | None:
    if text is None:
        return None
    try:
        position = hub.positions.read(text)
    except ForeignPositionError:
        raise _foreign() from None
    if not await hub.knows(position):
        raise _foreign()
    return position


def _foreign() -> Problem:
    return Problem(
        "invalid_event_id",
        "Send the last `id` you received, unchanged; or none, and read what you missed by"
        " GET /v1/signals/{provider}/{name}/forecasts?from=.",
    )


async def _signal_ids(context: Context, written: str) -> frozenset[int]:
    names = written.split(",")
    if len(names) > SIGNALS_AT_MOST:
        raise invalid_field("signals", f"at most {SIGNALS_AT_MOST}")
    found = set()
    async with context.transaction() as connection:
        for name in names:
            if not SIGNAL.fullmatch(name):
                raise invalid_field("signals", "write provider/name, by commas")
            signal = await find_signal(connection, context, *name.split("/"))
            if not signal.entitled:
                raise Problem(
                    "subscription_required",
                    f'Subscribe by POST /v1/subscriptions {{"signal": "{signal.signal}"}}, or'
                    " leave it out of `signals`.",
                )
            found.add(signal.id)
    return frozenset(found)
