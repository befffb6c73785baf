"""How old the newest bar of each symbol is that live versions read."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from prometheus_client.core import GaugeMetricFamily

from assets.market_data.calendar import HOUR_US, UnknownCalendarError, open_intervals
from pipelines.exporter.families import gauges

SYMBOLS_AT_MOST = 500
NEWEST: LiteralString = """
select i.symbol, i.calendar, newest.source, newest.ts_close
from registry.symbols_read() read(symbol) join market.instrument i on i.symbol = read.symbol
cross join lateral (
  select b.ts_close, f.source from market.bar b join market.ingest_batch f on f.id = b.batch_id
  where b.instrument_id = i.id order by b.ts_open desc, b.available_at limit 1) newest
order by i.symbol limit %s
"""


def feeds(connection: psycopg.Connection[Any], now: datetime) -> Iterator[GaugeMetricFamily]:
    """Age, and for how much of it the market was open."""
    newest = connection.execute(NEWEST, [SYMBOLS_AT_MOST]).fetchall()
    labels = ("symbol", "source")
    yield gauges(
        "feed_age_seconds", "Since the end of the newest bar", labels,
        (((symbol, source), (now - closed).total_seconds())
         for symbol, _, source, closed in newest),
    )  # fmt: skip
    yield gauges(
        "feed_silent_hours", "Hours of open market since the end of the newest bar", labels,
        (((symbol, source), silent_hours(calendar, closed, now))
         for symbol, calendar, source, closed in newest),
    )  # fmt: skip


def silent_hours(calendar: str, since: datetime, now: datetime) -> float:
    """Hours in which the market was open; all of them where its calendar is unknown.

    >>> from datetime import UTC
    >>> friday, sunday = datetime(2026, 1, 2, 21, tzinfo=UTC), datetime(2026, 1, 4, 23, tzinfo=UTC)
    >>> silent_hours("FX", friday, sunday)
    2.0
    """
    try:
        spans = open_intervals(calendar, since, now)
    except UnknownCalendarError:
        return max((now - since).total_seconds() / 3600, 0)
    return float((spans[:, 1] - spans[:, 0]).sum() / HOUR_US)
