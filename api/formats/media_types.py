"""Which media type an answer gets, by `Accept` (RFC 9110, 12.5.1)."""

from functools import lru_cache

JSON = "application/json"
MSGPACK = "application/msgpack"
MSGPACK_NAMES = (MSGPACK, "application/x-msgpack", "application/vnd.msgpack")
CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"

# What is preferred stands first: who accepts anything gets JSON.
DOCUMENTS = (JSON, *MSGPACK_NAMES)
TABLES = (*DOCUMENTS, CSV, PARQUET, ARROW)
EXPORTS = (CSV, JSON, PARQUET, ARROW)

Ranges = tuple[tuple[str, str, float], ...]


@lru_cache(maxsize=1024)
def negotiate(accept: str, offered: tuple[str, ...]) -> str | None:
    """The offer that is liked best; among equals the first. None: none is acceptable.

    >>> negotiate("text/csv;q=0.5, application/*;q=0.2", TABLES)
    'text/csv'
    >>> negotiate("*/*, application/json;q=0", DOCUMENTS)
    'application/msgpack'
    >>> negotiate("image/png", DOCUMENTS) is None
    True
    """
    ranges = _ranges(accept)
    if not ranges:
        return offered[0]
    best, liked = None, 0.0
    for offer in offered:
        quality = _quality(offer, ranges)
        if quality > liked:
            best, liked = offer, quality
    return best


def _ranges(accept: str) -> Ranges:
    """(type, subtype, quality) of each range that is written as it should be."""
    found = []
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        kind, _, subtype = name.partition("/")
        quality = _written_quality(parameters)
        if kind and subtype and quality is not None:
            found.append((kind, subtype, quality))
    return tuple(found)


def _written_quality(parameters: list[str]) -> float | None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return None
            return quality if 0 <= quality <= 1 else None
    return 1.0


def _quality(offer: str, ranges: Ranges) -> float:
    """Of the most specific range that the offer falls under; 0: none."""
    kind, _, subtype = offer.partition("/")
    specific, quality = -1, 0.0
    for wanted, wanted_subtype, wanted_quality in ranges:
        if (wanted, wanted_subtype) == (kind, subtype):
            rank = 2
        elif (wanted, wanted_subtype) == (kind, "*"):
            rank = 1
        elif (wanted, wanted_subtype) == ("*", "*"):
            rank = 0
        else:
            continue
        if rank > specific:
            specific, quality = rank, wanted_quality
    return quality
