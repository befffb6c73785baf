"""What one socket may ask: a table of routes, each with the queries it takes.

What is not in the table is refused. Containers are known by their whole id alone: a name or
the beginning of an id could mean another one by the time the daemon is asked.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Literal, Protocol

from sandbox.docker_proxy.daemon import Daemon
from sandbox.docker_proxy.errors import DaemonError, RefusedError
from sandbox.docker_proxy.http import Request

OWNER_LABEL = "signalbox.made_through"
CONTAINER = "(?P<container>[0-9a-f]{64})"
DIGEST = "sha256:[0-9a-f]{64}"
KNOWN_AT_MOST = 8192
FLAG = "[01]|[Tt]rue|[Ff]alse"

Shape = Literal["answered", "streamed", "hijacked", "archive"]
Answered = tuple[int, bytes]
Handler = Callable[[re.Match[str], Request, bytes], Awaitable[Answered]]


@dataclass(frozen=True)
class Route:
    """One thing that may be asked.

    Attributes:
        method: HTTP's.
        path: pattern of the whole path; `container` in it must be one of this socket's.
        query: pattern of each parameter it takes.
        shape: `answered` by `handler`, or the daemon's answer passed on: `streamed`,
            `hijacked` after it, or to an `archive` that was judged on the way.
        handler: answers in our words.
        fixed: what the daemon is asked besides.
        takes_body: JSON.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    shape: Shape = "streamed"
    handler: Handler | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    takes_body: bool = False


class Rules(Protocol):
    """What a socket is for."""

    @property
    def name(self) -> str:
        """Of the socket."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """All that may be asked."""

    @property
    def owned(self) -> "Owned":
        """The containers that were made through it."""


def find(rules: Rules, request: Request) -> tuple[Route, re.Match[str]]:
    """The route that a request takes.

    Raises:
        RefusedError: none, or with a query or body that it does not take.
    """
    asked = "GET" if request.method == "HEAD" and request.path == "/_ping" else request.method
    for route in rules.routes:
        found = re.fullmatch(route.path, request.path)
        if route.method != asked or not found:
            continue
        for name, value in request.query.items():
            if name not in route.query:
                raise RefusedError(f"query, {name[:64]!r}", "is not taken here")
            if not re.fullmatch(route.query[name], value):
                raise RefusedError(f"query {name}", "is not what this socket is for")
        _judge_form(route, request)
        return route, found
    raise RefusedError(
        f"{request.method} {request.path[:200]}", f"is nothing that the {rules.name} socket is for"
    )


def _judge_form(route: Route, request: Request) -> None:
    if request.upgrades != (route.shape == "hijacked"):
        raise RefusedError("header upgrade", "belongs to attaching, and to nothing else")
    if request.has_body and not (route.takes_body or route.shape == "archive"):
        raise RefusedError("body", "must be empty here")


class Owned:
    """The containers that were made through one socket.

    Ids are never used again and labels never change: what was learned stays true.
    """

    def __init__(self, daemon: Daemon, name: str, socket: Path) -> None:
        self.name = name
        # Of this installation: another on the same machine has its own.
        self._mark = str(socket)
        self._daemon = daemon
        self._known: dict[str, None] = {}

    @property
    def label(self) -> dict[str, str]:
        """What this process writes on each."""
        return {OWNER_LABEL: self._mark}

    def filters(self, *labels: str) -> str:
        """Docker's filter for them, as text."""
        return json.dumps({"label": [f"{OWNER_LABEL}={self._mark}", *labels]})

    def remember(self, container: str) -> None:
        """It was just made through this socket."""
        self._known[container] = None
        if len(self._known) > KNOWN_AT_MOST:
            del self._known[next(iter(self._known))]

    async def require(self, container: str) -> Answered | None:
        """None for one of ours; the daemon's answer where it knows none.

        Raises:
            RefusedError: it is somebody else's.
        """
        if container in self._known:
            return None
        status, body = await self._daemon.ask("GET", f"/containers/{container}/json")
        if status != HTTPStatus.OK:
            return status, body
        if (json.loads(body)["Config"]["Labels"] or {}).get(OWNER_LABEL) != self._mark:
            raise RefusedError("container", f"was not made through the {self.name} socket")
        self.remember(container)
        return None


async def create(daemon: Daemon, owned: Owned, body: dict[str, object]) -> Answered:
    """Have the daemon make a container, and know it afterwards."""
    status, answered = await daemon.ask("POST", "/containers/create", None, body)
    if status == HTTPStatus.CREATED:
        try:
            owned.remember(str(json.loads(answered)["Id"]))
        except (ValueError, KeyError) as error:
            raise DaemonError("Docker's daemon made a container without an id") from error
    return status, answered
