"""GET /v1/admin/health: whether the platform does its work, room by room.

A room is `ok`, `late` or `unknown`; `unknown` where it never did anything that could be
late. What it tells is read from the rows that the processes leave: a process that left
none for too long does not run, whatever it says of itself.
"""

from datetime import datetime, timedelta
from typing import Literal, LiteralString

import msgspec
import psycopg
from litestar import get

from api.admin.queues import Queue, queues
from api.admin.sandboxes import Sandboxes, sandboxes
from api.auth.guards import operator
from api.installation import Context, RequestContext
from api.rows import fetch_all, fetch_one
from sql.clock import floor_hour
from sql.coverage import COVERAGE, Coverage

State = Literal["ok", "late", "unknown"]
# After the hour: when each live version should have its record.
TICK_LATE_AFTER = timedelta(minutes=20)
LETTER_LATE_AFTER = timedelta(minutes=10)
TICKS = timedelta(hours=24)


class Room(msgspec.Struct, frozen=True):
    """`detail` says what to do where something is wrong."""

    state: State
    detail: str


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """Bars of a symbol that live versions read.

    Attributes:
        newest: end of the newest bar; null: there is none.
        known_at: when that bar could first be seen.
        rejected: rows refused in 24 hours, of all symbols' deliveries under this name.
    """

    symbol: str
    calendar: str
    is_sample_data: bool
    newest: datetime | None
    known_at: datetime | None
    rejected: int


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of all live versions.

    Attributes:
        seconds: from the hour to its last record.
    """

    as_of: datetime
    live: int
    late: int
    missed: int
    seconds: float


class PlatformHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Rooms, feeds by symbol, the ticks of 24 hours, newest first, and their sandboxes.

    Attributes:
        live_versions: that owe a forecast each hour.
        queues: all there are, empty ones too.
        dagster_url: where operators find Dagster; null: the installation does not say.
    """

    at: datetime
    log: Room
    ticks: Room
    letters: Room
    live_versions: int
    feeds: list[Feed]
    recent_ticks: list[Tick]
    sandboxes: list[Sandboxes]
    queues: list[Queue]
    dagster_url: str | None


class _Letters(msgspec.Struct, frozen=True):
    waiting: int
    oldest: datetime | None


class _Live(msgspec.Struct, frozen=True):
    versions: int
    since: datetime | None


FEEDS: LiteralString = """
select i.symbol, i.calendar, i.is_sample as is_sample_data, newest.ts_close as newest,
       newest.available_at as known_at,
       (select count(*) from market.reject x join market.ingest_batch b on b.id = x.batch_id
        where x.symbol = i.symbol and b.fetched_at >= %(since)s) as rejected
from market.instrument i
left join lateral (
  select b.ts_close, b.available_at from market.bar b
  where b.instrument_id = i.id order by b.ts_open desc, b.available_at limit 1) newest on true
where exists (select from registry.version v where v.state = 'live'
              and v.manifest->'forecast'->'symbols' ? i.symbol)
order by i.symbol
"""
RECENT: LiteralString = """
select r.slot as as_of, count(*) filter (where r.provenance = 'live') as live,
       count(*) filter (where r.provenance = 'late') as late,
       count(*) filter (where r.provenance = 'missed') as missed,
       extract(epoch from max(r.recorded_at) - r.slot)::float8 as seconds
from forecast.slot_record r
where r.slot >= %(since)s and r.provenance in ('live', 'late', 'missed')
group by r.slot order by r.slot desc
"""
LIVE: LiteralString = """
select count(*) as versions, min(published_at) as since
from registry.version where state = 'live'
"""
LETTERS: LiteralString = "select waiting, oldest from account.mail_waiting()"


@get("/v1/admin/health", guards=[operator], tags=["admin"])
async def admin_health(context: RequestContext) -> PlatformHealth:
    """Room by room, with what to do where something is late."""
    since = {"since": context.now - TICKS}
    async with context.transaction() as connection:
        feeds = await fetch_all(connection, Feed, FEEDS, since)
        ticks = await fetch_all(connection, Tick, RECENT, since)
        live = await fetch_one(connection, _Live, LIVE, [])
        letters = await fetch_one(connection, _Letters, LETTERS, [])
        log = await _log(connection, context.now)
        used = await sandboxes(connection, context.now - TICKS)
        waiting = await queues(connection, context.now)
    return PlatformHealth(
        at=context.now,
        log=log,
        ticks=_ticks(live or _Live(0, None), ticks, context.now),
        letters=_letters(letters or _Letters(0, None), context),
        live_versions=live.versions if live else 0,
        feeds=feeds,
        recent_ticks=ticks,
        sandboxes=used,
        queues=waiting,
        dagster_url=context.settings.dagster_url,
    )


async def _log(connection: psycopg.AsyncConnection, now: datetime) -> Room:
    coverage = await fetch_one(connection, Coverage, COVERAGE, [])
    if coverage is None or coverage.leaves == 0:
        return Room("unknown", "no leaf was appended yet")
    fault = coverage.fault(now)
    return Room("late", fault) if fault else Room("ok", f"{coverage.quorum_size} leaves covered")


def _ticks(live: _Live, ticks: list[Tick], now: datetime) -> Room:
    owed = floor_hour(now - TICK_LATE_AFTER)
    if live.since is None or live.since >= owed:
        return Room("unknown", "no live version owes a forecast yet")
    if not ticks:
        return Room("late", "no slot was recorded for 24 hours: see whether Dagster's daemon runs")
    newest = ticks[0].as_of
    if newest < owed:
        return Room(
            "late", f"newest recorded slot {newest:%Y-%m-%dT%H:%MZ}, due was {owed:%H:%M}Z: see"
            " Dagster's runs"
        )  # fmt: skip
    return Room("ok", f"newest recorded slot {newest:%Y-%m-%dT%H:%MZ}")


def _letters(letters: _Letters, context: Context) -> Room:
    if context.settings.smtp_url is None:
        return Room("unknown", f"no mail server is set up; {letters.waiting} letters are kept")
    if letters.oldest is None:
        return Room("ok", "no letter waits")
    detail = f"{letters.waiting} wait, the oldest since {letters.oldest:%Y-%m-%dT%H:%MZ}"
    if context.now - letters.oldest > LETTER_LATE_AFTER:
        return Room("late", f"{detail}: see the mail server of docs/operations/accounts.md")
    return Room("ok", detail)
