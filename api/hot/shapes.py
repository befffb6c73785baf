"""Which addresses are hot: the ones that many ask for again and again."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["latest", "history", "mine", "performance"]

OF_SIGNAL = re.compile(
    r"/v1/signals/([a-z0-9-]{1,64})/([a-z0-9-]{1,64})/(forecasts/latest|forecasts|performance)"
)
KINDS: dict[str, Kind] = {
    "forecasts/latest": "latest", "forecasts": "history", "performance": "performance",
}  # fmt: skip
LIMIT = re.compile(rb"limit=([1-9][0-9]?|100)")
WINDOW = re.compile(rb"window=(30d|90d|all)")
TEMPLATE = "/v1/signals/{provider}/{name}/"


@dataclass(frozen=True, eq=False)
class Shape:
    """One hot question; known by its identity, of which there is one for each address.

    Attributes:
        template: as the router calls the path.
        arguments: of the route's function, beside the path's and the context.
    """

    kind: Kind
    template: str
    provider: str = ""
    name: str = ""
    arguments: tuple[tuple[str, int | str], ...] = ()


@lru_cache(maxsize=8192)
def shape_of(path: str, query: bytes) -> Shape | None:
    """The hot question of an address; None: the routes answer, as they answer all others.

    >>> shape_of("/v1/signals/ada/tide/forecasts", b"limit=50").arguments
    (('limit', 50),)
    >>> shape_of("/v1/signals/ada/tide/forecasts", b"limit=101") is None
    True
    """
    if path == "/v1/forecasts/latest":
        return None if query else Shape("mine", path)
    found = OF_SIGNAL.fullmatch(path)
    if found is None:
        return None
    provider, name, rest = found.groups()
    kind = KINDS[rest]
    arguments = _arguments(kind, query)
    if arguments is None:
        return None
    return Shape(kind, TEMPLATE + rest, provider, name, arguments)


def _arguments(kind: Kind, query: bytes) -> tuple[tuple[str, int | str], ...] | None:
    if not query:
        return ()
    if kind == "history" and (limit := LIMIT.fullmatch(query)):
        return (("limit", int(limit[1])),)
    if kind == "performance" and (window := WINDOW.fullmatch(query)):
        return (("window", window[1].decode()),)
    return None
