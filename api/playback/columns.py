"""Answers as columns: lists of equal length, a row at each position.

Instants are whole seconds since 1970, UTC, never rounded to before what they tell. Names
that repeat are positions in `symbols`, `versions` and `quantile_levels` of the same answer.
"""

from datetime import datetime

import msgspec

Seconds = list[int]


class PlayedSymbol(msgspec.Struct, frozen=True):
    symbol: str
    is_sample_data: bool


class PlayedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of which the answer has a row.

    Attributes:
        rank: of two versions that answered a slot, the one of higher rank was served.
        target: what `point` and quantiles are: log return, or price.
    """

    version: str
    rank: int
    target: str


class PlayedBars(msgspec.Struct, frozen=True, kw_only=True):
    """Hours [ts_open, ts_close), every version of each: a later row of an hour corrects it.

    Attributes:
        available_at: when the platform knew it; nominal where `is_history`.
        is_history: brought afterwards by an import of the past, as its source had it by then.
            Nobody saw it here at `available_at`, which is its close and the feed's delay.
    """

    available_at: Seconds
    symbol: list[int]
    ts_open: Seconds
    ts_close: Seconds
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float | None]
    is_history: list[bool]


class PlayedForecasts(msgspec.Struct, frozen=True, kw_only=True):
    """One number for a symbol and horizon at each position; its target time is as_of + horizon.

    Attributes:
        available_at: when it could first be read. Replayed and backfilled ones never could:
            theirs is the instant up to which they were given bars.
        provenance: as it was at `available_at`; what became of it stands in `turned_late`.
        levels: position in `quantile_levels`; null: no quantiles.
        is_unopened: its leaf's opening is lost by now. Of all an answer holds, this alone is
            of the time of asking: whether numbers can be proven is told as soon as it is known.
    """

    available_at: Seconds
    version: list[int]
    as_of: Seconds
    symbol: list[int]
    horizon_hours: list[int]
    provenance: list[str]
    point: list[float]
    levels: list[int | None]
    quantiles: list[list[float] | None]
    probability_up: list[float | None]
    is_unopened: list[bool]


class PlayedMisses(msgspec.Struct, frozen=True, kw_only=True):
    """Slots without an answer.

    Attributes:
        available_at: when that was on record.
        reason: the kind of miss, as its leaf has it.
    """

    available_at: Seconds
    version: list[int]
    as_of: Seconds
    reason: list[str]


class TurnedLate(msgspec.Struct, frozen=True, kw_only=True):
    """Slots recorded in time that no quorum had covered by the deadline: late from then on.

    Attributes:
        available_at: the second after the deadline.
    """

    available_at: Seconds
    version: list[int]
    as_of: Seconds


class Playback(msgspec.Struct, frozen=True, kw_only=True):
    """What became known in (since, at], each list in the order in which it did.

    Attributes:
        from_: bars that open, and slots, at or after it.
        since: null: from the beginning.
        at: nothing here was known later.
        next: null: this is all up to `at`. Otherwise it is all up to `next`: ask with `since`
            of this value.
    """

    signal: str
    from_: datetime = msgspec.field(name="from")
    since: datetime | None
    at: datetime
    next: datetime | None
    live_deadline_minutes: int
    symbols: list[PlayedSymbol]
    versions: list[PlayedVersion]
    quantile_levels: list[list[float]]
    bars: PlayedBars
    forecasts: PlayedForecasts
    missed: PlayedMisses
    turned_late: TurnedLate
