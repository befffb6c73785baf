"""Rows of performance, of the rule's returns and of definitions, written."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import msgspec
import polars as pl
import psycopg

from assets.scores.definitions import FORECAST_DEFINITIONS, Definition
from assets.scores.performance.definitions import TRADING_DEFINITIONS
from assets.scores.performance.document import Document

PERFORMANCE: LiteralString = """
insert into score.performance (signal_id, version_id, period, as_of, computed_at, live_since,
                               live_slots, sharpe, max_drawdown, skill, hit_rate, measures)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (signal_id, version_id, period) do update set
  as_of = excluded.as_of, computed_at = excluded.computed_at, live_since = excluded.live_since,
  live_slots = excluded.live_slots, sharpe = excluded.sharpe,
  max_drawdown = excluded.max_drawdown, skill = excluded.skill, hit_rate = excluded.hit_rate,
  measures = excluded.measures
"""
GONE: LiteralString = """
delete from score.rule_return
where signal_id = %s and hour >= %s and hour < %s and hour <> all (%s::timestamptz[])
"""
# A row that says the same is not written again: most hours add one.
RETURNS: LiteralString = """
insert into score.rule_return as r (signal_id, hour, computed_at, gross, cost, net, turnover)
select %s, u.hour, %s, u.gross, u.cost, u.net, u.turnover
from unnest(%s::timestamptz[], %s::float8[], %s::float8[], %s::float8[], %s::float8[])
     as u (hour, gross, cost, net, turnover)
on conflict (signal_id, hour) do update set
  computed_at = excluded.computed_at, gross = excluded.gross, cost = excluded.cost,
  net = excluded.net, turnover = excluded.turnover
where (r.gross, r.cost, r.turnover) is distinct from
      (excluded.gross, excluded.cost, excluded.turnover)
"""
DEFINITION: LiteralString = """
insert into score.definition as d (name, position, formula, source, unit, better, over)
values (%s, %s, %s, %s, %s, %s, %s)
on conflict (name) do update set
  position = excluded.position, formula = excluded.formula, source = excluded.source,
  unit = excluded.unit, better = excluded.better, over = excluded.over
where (d.position, d.formula, d.source, d.unit, d.better, d.over) is distinct from
  (excluded.position, excluded.formula, excluded.source, excluded.unit, excluded.better,
   excluded.over)
"""
DEFINITIONS: tuple[Definition, ...] = (*FORECAST_DEFINITIONS, *TRADING_DEFINITIONS)


@dataclass(frozen=True)
class Row:
    """One row of `score.performance`."""

    signal_id: int
    version_id: int | None
    period: str
    document: Document

    def values(self, as_of: datetime, now: datetime) -> list[Any]:
        """As `PERFORMANCE` takes them."""
        one = self.document
        return [
            *(self.signal_id, self.version_id, self.period, as_of, now),
            *(one.live_since, one.slots.live),
            *(one.sharpe.value, one.max_drawdown.value, one.skill.value, one.hit_rate.value),
            msgspec.json.encode(one).decode(),
        ]


def write_rows(
    connection: psycopg.Connection[Any], rows: Iterable[Row], as_of: datetime, now: datetime
) -> None:
    """Insert or replace."""
    with connection.cursor() as cursor:
        cursor.executemany(PERFORMANCE, [row.values(as_of, now) for row in rows])


def write_returns(
    connection: psycopg.Connection[Any],
    signal_id: int,
    series: pl.DataFrame,
    since: datetime | None,
    now: datetime,
) -> int:
    """The rule's series of a signal from `since` on; rows that say the same stay.

    Returns:
        How many rows were new or differed.
    """
    part = series if since is None else series.filter(pl.col("hour") >= since)
    if part.is_empty():
        return 0
    hours = part["hour"].to_list()
    connection.execute(GONE, [signal_id, hours[0], hours[-1], hours])
    columns = [part[name].to_list() for name in ("gross", "cost", "net", "turnover")]
    return connection.execute(RETURNS, [signal_id, now, hours, *columns]).rowcount


def write_definitions(connection: psycopg.Connection[Any]) -> None:
    """What every measure is, as this code computes it; names that are no more are deleted."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            DEFINITION,
            [
                [one.name, at, one.formula, one.source, one.unit, one.better, one.over]
                for at, one in enumerate(DEFINITIONS)
            ],
        )
        cursor.execute(
            "delete from score.definition where name <> all (%s)",
            [[one.name for one in DEFINITIONS]],
        )
