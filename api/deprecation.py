"""Routes that will go away say so: in the document, and in each answer.

A route is deprecated by `deprecated=True` together with
`opt={DEPRECATION: Deprecation(since, sunset, link)}`; its answers then carry `Deprecation`
(RFC 9745), `Sunset` (RFC 8594) and a `Link` to what to use instead.
docs/subscriber/versioning.md is the promise; a test holds every route to it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from typing import Any, cast

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

DEPRECATION = "deprecation"
NOTICE = timedelta(days=180)


@dataclass(frozen=True)
class Deprecation:
    """What happens to a route.

    Attributes:
        since: first day on which it was called deprecated, UTC.
        sunset: last day on which it answers, at least 180 days later.
        link: page that says what to use instead.
    """

    since: date
    sunset: date
    link: str

    def __post_init__(self) -> None:
        if self.sunset - self.since < NOTICE:
            raise ValueError(f"a route goes {NOTICE.days} days after notice at the earliest")

    @property
    def headers(self) -> dict[str, str]:
        """Of each answer.

        >>> Deprecation(date(2026, 1, 1), date(2026, 7, 1), "/docs").headers["Deprecation"]
        '@1767225600'
        """
        sunset = datetime.combine(self.sunset, time(23, 59, 59), UTC)
        return {
            "Deprecation": f"@{int(datetime.combine(self.since, time(), UTC).timestamp())}",
            "Sunset": format_datetime(sunset, usegmt=True),
            "Link": f'<{self.link}>; rel="deprecation"; type="text/html"',
        }


async def announce(message: Message, scope: Scope) -> None:
    """A `before_send` hook; errors of a deprecated route carry its headers too."""
    if message["type"] != "http.response.start":
        return
    handler = cast("dict[str, Any]", scope).get("route_handler")
    deprecation = handler.opt.get(DEPRECATION) if handler is not None else None
    if deprecation is not None:
        MutableScopeHeaders.from_message(message).update(deprecation.headers)
