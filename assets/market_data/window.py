"""What a model is given: the bars that were knowable at a slot, and no others.

A slot is pinned once, to a cut-off and to the newest committed batch. Bars
closed by the slot, available by the cut-off and learnt by that batch are the
window; reading a pin twice gives the same bytes, whatever was corrected since.

Bars are read as the role `signalbox_model`, which may execute one function, the
one that knows these three bounds, and read no table.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec
import polars as pl
import psycopg

from assets.market_data.frames import WINDOW_SCHEMA, read_frame

AS_OF = """
select instrument_id, ts_open, open, high, low, close, volume
from market.bars_as_of(%(ids)s::int[], %(start)s, %(slot)s, %(cutoff)s, %(max_batch)s)
order by instrument_id, ts_open
"""


class UnknownSymbolError(LookupError):
    """No instrument has this name; ingest it first."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        super().__init__(f"{symbol} is no known instrument: ingest bars of it first")


class SlotPin(msgspec.Struct, frozen=True):
    """What makes a read repeatable.

    Attributes:
        slot: the full hour a forecast is made at, UTC.
        cutoff: bars available by then were visible: slot plus the feed's delay.
        max_batch: newest batch read; 0 before the first.
    """

    slot: datetime
    cutoff: datetime
    max_batch: int


def pin(connection: psycopg.Connection, slot: datetime, feed_delay: timedelta) -> SlotPin:
    """Pin a slot to what is committed now.

    Raises:
        ValueError: the slot is naive or no full hour, or the delay is negative.
    """
    if slot.utcoffset() != timedelta(0) or (slot.minute, slot.second, slot.microsecond) != (0,) * 3:
        raise ValueError(f"a slot is a full hour in UTC, not {slot.isoformat()}")
    if feed_delay < timedelta(0):
        raise ValueError(f"a feed cannot deliver before the bar closed, but its delay {feed_delay}")
    row = connection.execute("select coalesce(max(id), 0) from market.ingest_batch").fetchone()
    return SlotPin(slot=slot, cutoff=slot + feed_delay, max_batch=row[0] if row else 0)


def read_bars(
    connection: psycopg.Connection, symbols: Sequence[str], start: datetime, pin: SlotPin
) -> dict[str, pl.DataFrame]:
    """Bars with `start <= ts_open` under a pin, by symbol in the order asked.

    Returns:
        Frames of `ts_open` (Datetime us UTC), `open`, `high`, `low`, `close`,
        `volume` (Float64), oldest first, one chunk each; without rows where
        nothing was knowable.

    Raises:
        UnknownSymbolError: no such instrument.
    """
    ids = instrument_ids(connection, symbols)
    with as_model(connection):
        rows = read_frame(
            connection,
            AS_OF,
            {
                "ids": list(ids.values()),
                "start": start,
                "slot": pin.slot,
                "cutoff": pin.cutoff,
                "max_batch": pin.max_batch,
            },
            {"instrument_id": pl.Int32(), **WINDOW_SCHEMA},
        )
    return split(rows, ids)


@contextmanager
def as_model(connection: psycopg.Connection) -> Iterator[None]:
    """Within it, the connection may execute `market.bars_as_of` and read no table.

    Args:
        connection: as `signalbox_worker`; in a transaction or out of one.
    """
    with connection.transaction():
        connection.execute("set local role signalbox_model")
        yield
        # A transaction around this one goes on as itself.
        connection.execute("set local role none")


def instrument_ids(connection: psycopg.Connection, symbols: Sequence[str]) -> dict[str, int]:
    """Ids by symbol, in the order asked.

    Raises:
        UnknownSymbolError: no such instrument.
    """
    known: dict[str, int] = dict(
        connection.execute(
            "select symbol, id from market.instrument where symbol = any (%s)", [list(symbols)]
        ).fetchall()
    )
    for symbol in symbols:
        if symbol not in known:
            raise UnknownSymbolError(symbol)
    return {symbol: known[symbol] for symbol in symbols}


def split(rows: pl.DataFrame, ids: dict[str, int]) -> dict[str, pl.DataFrame]:
    """Rows sorted by `instrument_id`, parted by symbol; without that column."""
    frames = {}
    for symbol, instrument_id in ids.items():
        first = rows["instrument_id"].search_sorted(instrument_id, side="left")
        after = rows["instrument_id"].search_sorted(instrument_id, side="right")
        frames[symbol] = rows.slice(first, after - first).drop("instrument_id").rechunk()
    return frames
