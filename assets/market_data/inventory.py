"""What is stored of one symbol, counted."""

from datetime import datetime

import msgspec
import psycopg

from assets.market_data.window import UnknownSymbolError

COUNTED = """
select count(*), count(distinct ts_open), min(ts_open), max(ts_close), max(available_at)
from market.bar where instrument_id = %(id)s
"""
BATCHES = """
select b.source, count(distinct b.id) from market.ingest_batch b,
       jsonb_array_elements(b.answers) a
where a ->> 'symbol' = %(symbol)s group by b.source order by b.source
"""
REJECTS = """
select rule, count(*) from market.reject where symbol = %(symbol)s group by rule order by rule
"""


class Inventory(msgspec.Struct, frozen=True):
    """What is there.

    Attributes:
        symbol: the platform's name.
        calendar: `24x7`, `FX`, `METAL` or an exchange's MIC.
        currency: of its prices; None: not known.
        tick_size: smallest step of its price; None: not known.
        is_sample: sample data.
        aliases: its name by source.
        hours: bars, each in its newest version.
        corrections: later versions of a bar.
        first_open: of the oldest bar, UTC; None: no bars.
        last_close: of the newest bar, UTC.
        newest_available_at: when the newest version became available, UTC.
        batches: deliveries that asked for it, by source.
        rejected: rows refused, by rule.
    """

    symbol: str
    calendar: str
    currency: str | None
    tick_size: float | None
    is_sample: bool
    aliases: dict[str, str]
    hours: int
    corrections: int
    first_open: datetime | None
    last_close: datetime | None
    newest_available_at: datetime | None
    batches: dict[str, int]
    rejected: dict[str, int]


def inventory(connection: psycopg.Connection, symbol: str) -> Inventory:
    """Count what is stored of a symbol.

    Raises:
        UnknownSymbolError: no such instrument.
    """
    known = connection.execute(
        "select id, calendar, currency, tick_size, is_sample from market.instrument"
        " where symbol = %s",
        [symbol],
    ).fetchone()
    if known is None:
        raise UnknownSymbolError(symbol)
    instrument_id, calendar, currency, tick_size, is_sample = known
    values = {"id": instrument_id, "symbol": symbol}
    counted = connection.execute(COUNTED, values).fetchone()
    versions, hours, first, last, newest = counted or (0, 0, None, None, None)
    aliases = connection.execute(
        "select source, alias from market.instrument_alias where instrument_id = %(id)s", values
    ).fetchall()
    return Inventory(
        symbol=symbol,
        calendar=calendar,
        currency=currency,
        tick_size=tick_size,
        is_sample=is_sample,
        aliases=dict(aliases),
        hours=hours,
        corrections=versions - hours,
        first_open=first,
        last_close=last,
        newest_available_at=newest,
        batches=dict(connection.execute(BATCHES, values).fetchall()),
        rejected=dict(connection.execute(REJECTS, values).fetchall()),
    )
