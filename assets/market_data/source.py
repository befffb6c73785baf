"""Where bars come from: one small protocol, and how a source fails.

A source answers for a half-open period `[start, end)` of `ts_open` with closed
bars only. Closed is decided by the clock, `ts_close <= now`, never by the
position in an answer: the last candle of an exchange is still running.

It hands over what it was given, unsorted and with its defects; `schema` judges.
An answer that is none (an empty body, a page of HTML) is a
`TransientSourceError`; a period in which the market had no bars is a frame
without rows.
"""

from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import polars as pl

from assets.market_data.frames import DELIVERY_SCHEMA


class SourceError(Exception):
    """A source did not deliver; names the symbol and what to do next."""

    def __init__(self, symbol: str, problem: str, remedy: str) -> None:
        self.symbol = symbol
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{symbol}: {problem}; {remedy}")


class TransientSourceError(SourceError):
    """It may work later: asking again is right."""


class PermanentSourceError(SourceError):
    """Asking again gives the same: somebody has to change something."""


class MissingExtraError(RuntimeError):
    """A source needs a package that is not installed; names the extra."""

    def __init__(self, extra: str) -> None:
        super().__init__(
            f"source {extra} needs the packages of an extra that is not installed: run"
            f" pip install 'signalbox-platform[{extra}]'"
        )


class InstrumentDeclaration(msgspec.Struct, frozen=True):
    """What a source offers.

    Attributes:
        symbol: the platform's name for it.
        calendar: `24x7`, `FX`, `METAL` or an exchange's MIC.
        alias: the source's name for it; None: the same.
        currency: of its prices; None: not known.
        tick_size: smallest step of its price; None: not known.
    """

    symbol: str
    calendar: str
    alias: str | None = None
    currency: str | None = None
    tick_size: float | None = None


class Delivery(msgspec.Struct, frozen=True):
    """One answer of a source.

    Attributes:
        frame: `ts_open`, `ts_close` (Datetime us UTC), `open`, `high`, `low`,
            `close`, `volume` (Float64; volume null where not published).
        fetched_at: when the source answered, UTC.
        raw_bytes: the answer as it came; `Source.read` makes a frame of it again.
    """

    frame: pl.DataFrame
    fetched_at: datetime
    raw_bytes: bytes


class Source(Protocol):
    """A supplier of bars."""

    @property
    def name(self) -> str:
        """As recorded with every batch."""

    @property
    def is_sample(self) -> bool:
        """Not the market's present; labelled wherever it appears."""

    @property
    def history_step(self) -> timedelta | None:
        """The period that one request of a long history asks for; None: all at once."""

    def instruments(self) -> list[InstrumentDeclaration]:
        """What it offers."""

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        """Bars with `start <= ts_open < end` that are closed by `now`.

        Raises:
            TransientSourceError: asking again is right.
            PermanentSourceError: an unknown symbol, or data of the wrong shape.
        """

    def read(self, symbol: str, raw_bytes: bytes) -> pl.DataFrame:
        """All bars of an answer that was kept, the unclosed too.

        Raises:
            PermanentSourceError: as of `fetch`.
        """


def declaration_of(source: Source, symbol: str) -> InstrumentDeclaration:
    """What a source declares for a symbol.

    Raises:
        PermanentSourceError: the source does not offer it.
    """
    offered = {declared.symbol: declared for declared in source.instruments()}
    if symbol not in offered:
        raise unknown_symbol(symbol, list(offered))
    return offered[symbol]


def closed_within(
    frame: pl.DataFrame, start: datetime, end: datetime, now: datetime
) -> pl.DataFrame:
    """Rows with `start <= ts_open < end` that are closed by `now`.

    A row without a time stamp belongs to every period: validation refuses it.
    """
    opened, closed = pl.col("ts_open"), pl.col("ts_close")
    return frame.filter(((opened >= start) & (opened < end) & (closed <= now)) | opened.is_null())


def unknown_symbol(symbol: str, offered: list[str]) -> PermanentSourceError:
    """The error of a source that is asked for what it does not have."""
    return PermanentSourceError(
        symbol, "the source has no such symbol", f"ask for one of {', '.join(offered) or 'none'}"
    )


def empty_frame() -> pl.DataFrame:
    """A delivery without rows."""
    return pl.DataFrame(schema=DELIVERY_SCHEMA)
