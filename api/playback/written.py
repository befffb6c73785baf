"""Rows of a playback as the columns of its answer."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from api.playback.columns import (
    Playback,
    PlayedBars,
    PlayedForecasts,
    PlayedMisses,
    PlayedSymbol,
    PlayedVersion,
    TurnedLate,
)
from api.playback.stored import Instrument, Interval, Row, Rows, Version

Named = tuple[Sequence[Instrument], Sequence[Version]]


class _Positions:
    """Of values in the order in which they were first met."""

    def __init__(self) -> None:
        self.of: dict[Any, int] = {}

    def each(self, values: Iterable[Any]) -> list[int]:
        return [self.of.setdefault(value, len(self.of)) for value in values]


def playback_of(
    signal: str,
    interval: Interval,
    next_: datetime | None,
    deadline_minutes: int,
    named: Named,
    rows: Rows,
) -> Playback:
    """The answer of an interval; `named` are the signal's instruments and versions."""
    symbols, versions, levels = _Positions(), _Positions(), _Positions()
    lists: dict[str, Any] = {
        "bars": _bars(rows["bars"], symbols),
        "forecasts": _forecasts(rows["forecasts"], symbols, versions, levels),
        "missed": _misses(rows["missed"], versions),
        "turned_late": _turned_late(rows["turned_late"], versions),
    }
    instruments = {one.id: one for one in named[0]}
    published = {one.id: one for one in named[1]}
    return Playback(
        signal=signal,
        from_=interval.start,
        since=interval.since,
        at=interval.until,
        next=next_,
        live_deadline_minutes=deadline_minutes,
        symbols=[
            PlayedSymbol(instruments[one].symbol, instruments[one].is_sample) for one in symbols.of
        ],
        versions=[
            PlayedVersion(
                version=published[one].version, rank=published[one].rank,
                target=published[one].target,
            )
            for one in versions.of
        ],
        quantile_levels=[list(one) for one in levels.of],
        **lists,
    )  # fmt: skip


def _columns(rows: list[Row], count: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]


def _bars(rows: list[Row], symbols: _Positions) -> PlayedBars:
    known, symbol, opened, closed, first, high, low, close, volume, history = _columns(rows, 10)
    return PlayedBars(
        available_at=known, symbol=symbols.each(symbol), ts_open=opened, ts_close=closed,
        open=first, high=high, low=low, close=close, volume=volume, is_history=history,
    )  # fmt: skip


def _forecasts(
    rows: list[Row], symbols: _Positions, versions: _Positions, levels: _Positions
) -> PlayedForecasts:
    known, version, slot, symbol, horizon, provenance, point, pairs, up, lost = _columns(rows, 10)
    return PlayedForecasts(
        available_at=known,
        version=versions.each(version),
        as_of=slot,
        symbol=symbols.each(symbol),
        horizon_hours=horizon,
        provenance=provenance,
        point=point,
        levels=[
            None if of is None else levels.of.setdefault(tuple(p[0] for p in of), len(levels.of))
            for of in pairs
        ],
        quantiles=[None if of is None else [p[1] for p in of] for of in pairs],
        probability_up=up,
        is_unopened=lost,
    )


def _misses(rows: list[Row], versions: _Positions) -> PlayedMisses:
    known, version, slot, reason = _columns(rows, 4)
    return PlayedMisses(
        available_at=known, version=versions.each(version), as_of=slot, reason=reason
    )


def _turned_late(rows: list[Row], versions: _Positions) -> TurnedLate:
    known, version, slot = _columns(rows, 3)
    return TurnedLate(available_at=known, version=versions.each(version), as_of=slot)
