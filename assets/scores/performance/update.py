"""Keeping performance up to date, a bounded amount of work each hour.

Theory of operation: `as_of` is the last full hour by which every slot before it has had its
deadline, so that nothing that counts is pending. The periods 30d and 90d are computed anew each
hour for signals that had a slot in the last nine days (the longest horizon, and two days for
late bars), and once a day for others while a slot of theirs still falls into 90 days. The period
`all` costs what a record is long: it is computed with them while the record fits into 90 days,
and otherwise with the first hour of each day; `as_of` says which hour it is of. Signals go
through in groups, each read in a handful of queries.

Everything follows from insert-only facts: `everything=True` computes it all again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg

from assets.scores.measure import Measure
from assets.scores.performance.measured import Runs, Trials, measured
from assets.scores.performance.reads import History, read_history, read_trials
from assets.scores.performance.store import Row, write_definitions, write_returns, write_rows
from assets.scores.performance.subject import RUN_AFTERWARDS, Subject, subjects_of
from assets.scores.performance.traded import Traded, traded
from assets.scores.trading.parameters import DELAYS_HOURS, RuleParameters
from sql.clock import floor_hour

PERIODS: dict[str, timedelta | None] = {
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
    "all": None,
}
LONGEST = timedelta(days=90)
# Decisions of these hours before a period are still held when it begins, at any delay.
WARM_UP = timedelta(days=2)
STILL_SCORED = timedelta(hours=168 + 48)
SIGNALS_AT_ONCE = 10

STALE: LiteralString = """
select g.id,
       coalesce(bool_or(p.period = 'all'), false)
         and coalesce(bool_and(p.as_of >= date_trunc('day', %(as_of)s::timestamptz, 'UTC'))
                      filter (where p.period = 'all'), false)
         and ends.first < %(as_of)s - interval '90 days' as whole_is_done,
       min(p.live_since) filter (where p.version_id is null and p.period = 'all') as live_since
from registry.signal g
cross join lateral (
  select min(r.slot) as first, max(r.slot) as last
  from registry.version v
  cross join lateral (
    (select x.slot from forecast.slot_record x where x.version_id = v.id order by x.slot limit 1)
    union all
    (select x.slot from forecast.slot_record x where x.version_id = v.id
     order by x.slot desc limit 1)) r
  where v.signal_id = g.id) ends
left join score.performance p on p.signal_id = g.id
where ends.first is not null and ends.first < %(as_of)s
  and (%(signals)s::bigint[] is null or g.id = any (%(signals)s::bigint[]))
group by g.id, ends.first, ends.last
having %(everything)s or count(p.id) = 0
  or (min(p.as_of) filter (where p.period = '30d') < %(as_of)s
      and (ends.last >= %(as_of)s - %(scored)s::interval
           or (min(p.as_of) filter (where p.period = '30d')
                 < date_trunc('day', %(as_of)s::timestamptz, 'UTC')
               and ends.last >= min(p.as_of) - interval '91 days')))
order by g.id
"""
LIVE_SINCE: LiteralString = """
select version_id, min(live_since) from score.performance
where signal_id = any (%s) and version_id is not null group by version_id
"""


@dataclass(frozen=True)
class Updated:
    """What an update did."""

    signals: int = 0
    rows: int = 0
    hours: int = 0


@dataclass(frozen=True)
class _Stale:
    signal_id: int
    whole_is_done: bool
    live_since: datetime | None


def as_of_at(now: datetime, deadline: timedelta) -> datetime:
    """Slots before it have had their deadline for an hour or more, and bars before it closed."""
    return floor_hour(now - deadline)


def update_performance(
    connection: psycopg.Connection[Any],
    now: datetime,
    deadline: timedelta,
    signal_ids: Sequence[int] | None = None,
    *,
    everything: bool = False,
) -> Updated:
    """Compute what is not up to date at `now`, and store it.

    Args:
        connection: autocommit, as `signalbox_worker`.
        now: UTC.
        deadline: of live forecasts, after the slot.
        signal_ids: only those; all by default.
        everything: also what is up to date.
    """
    as_of = as_of_at(now, deadline)
    write_definitions(connection)
    stale = _stale(connection, as_of, signal_ids, everything=everything)
    done = Updated()
    for whole in (True, False):
        chosen = [one for one in stale if one.whole_is_done is not whole or (everything and whole)]
        if everything and not whole:
            break
        since = None if whole else as_of - LONGEST - WARM_UP
        for at in range(0, len(chosen), SIGNALS_AT_ONCE):
            group = chosen[at : at + SIGNALS_AT_ONCE]
            one = _update(connection, group, since, as_of, now, deadline)
            done = Updated(done.signals + len(group), done.rows + one.rows, done.hours + one.hours)
    return done


def _stale(
    connection: psycopg.Connection[Any],
    as_of: datetime,
    signal_ids: Sequence[int] | None,
    *,
    everything: bool,
) -> list[_Stale]:
    values = {
        "as_of": as_of,
        "signals": None if signal_ids is None else list(signal_ids),
        "scored": STILL_SCORED,
        "everything": everything,
    }
    return [_Stale(*row) for row in connection.execute(STALE, values).fetchall()]


def _update(
    connection: psycopg.Connection[Any],
    group: list[_Stale],
    since: datetime | None,
    as_of: datetime,
    now: datetime,
    deadline: timedelta,
) -> Updated:
    ids = [one.signal_id for one in group]
    history = read_history(connection, ids, since, as_of, now, deadline)
    rule = RuleParameters(deadline_minutes=int(deadline.total_seconds() // 60))
    families = [
        _Family(
            signal,
            versions,
            {
                one.version_id: traded(one, ("live",), rule, as_of)
                for one in [signal, *_several(versions)]
            },
        )
        for signal, versions in subjects_of(history)
    ]
    since_of = _live_since(connection, group, ids)
    tried = _Tried(connection, history, families)
    rows, hours = 0, 0
    for family in families:
        found = list(_rows(family, tried, since_of, since, as_of, rule))
        series = family.live[None].series
        with connection.transaction():
            write_rows(connection, found, as_of, now)
            hours += write_returns(
                connection, family.signal.signal_id, series, since and since + WARM_UP, now
            )
        rows += len(found)
    return Updated(rows=rows, hours=hours)


@dataclass(frozen=True)
class _Family:
    """A signal and its versions; the rule over live slots, by version id, None being the signal.

    With one version on record the signal is that version, and is computed once.
    """

    signal: Subject
    versions: list[Subject]
    live: dict[int | None, Traded]


def _several(versions: list[Subject]) -> list[Subject]:
    return versions if len(versions) > 1 else []


class _Tried:
    """What each provider tried, with the ratios of this hour where they are computed in it."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        history: History,
        families: list[_Family],
    ) -> None:
        providers = history.versions["provider_id"].unique().to_list()
        self.counts, stored = read_trials(connection, providers)
        self.sharpes: dict[str, dict[int, float]] = {provider: {} for provider in providers}
        for provider, version_id, sharpe in stored.iter_rows():
            self.sharpes[provider][version_id] = sharpe
        if history.since is None:
            for family in families:
                for version in family.versions:
                    self._note(version, family.live.get(version.version_id, family.live[None]))

    def _note(self, version: Subject, run: Traded) -> None:
        from assets.scores.honesty.sharpe import sharpe_per_hour

        ratio = sharpe_per_hour(run.series["net"].to_numpy())
        if ratio is not None and version.version_id is not None:
            self.sharpes[version.provider_id][version.version_id] = ratio

    def of(self, provider: str) -> Trials:
        """How many, and their known ratios."""
        return Trials(self.counts[provider], list(self.sharpes[provider].values()))
