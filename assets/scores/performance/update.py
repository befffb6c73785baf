"""Keeping performance up to date, a bounded amount of work each hour.

Theory of operation: `as_of` is the last full hour before which every slot has had its deadline,
so that nothing that counts is pending. `plan` says which signals are computed and how far back;
they go through in groups, each read in a handful of queries. Of a signal and each of its
versions the trading rule is run over all that was read, and measured over each period.

Everything follows from insert-only facts: `everything=True` computes it all again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg

from assets.scores.honesty.sharpe import sharpe_per_hour
from assets.scores.performance.document import Document
from assets.scores.performance.measured import Runs, Trials, measured
from assets.scores.performance.plan import LONGEST, State, groups, states, work_of
from assets.scores.performance.reads import History, read_history, read_trials
from assets.scores.performance.store import Row, write_definitions, write_returns, write_rows
from assets.scores.performance.subject import Subject, subjects_of
from assets.scores.performance.traded import Traded, replayed, traded
from assets.scores.trading.parameters import DELAYS_HOURS, RuleParameters
from sql.clock import floor_hour

RECENT: dict[str, timedelta] = {"30d": timedelta(days=30), "90d": LONGEST}
# Decisions of these hours before a period are still held when it begins, at any delay.
WARM_UP = timedelta(days=2)

LIVE_SINCE: LiteralString = """
select signal_id, version_id, min(live_since) from score.performance
where signal_id = any (%s) group by signal_id, version_id
"""


@dataclass(frozen=True)
class Updated:
    """What an update did.

    Attributes:
        signals: computed.
        rows: of performance, written.
        hours: of the rule's returns, new or changed.
    """

    signals: int = 0
    rows: int = 0
    hours: int = 0


@dataclass(frozen=True)
class _Hour:
    """What all signals of an update have in common.

    Attributes:
        since: slots from here on are read; None: all.
    """

    now: datetime
    as_of: datetime
    deadline: timedelta
    since: datetime | None

    @property
    def rule(self) -> RuleParameters:
        return RuleParameters(deadline_minutes=int(self.deadline.total_seconds() // 60))


@dataclass(frozen=True)
class _Family:
    """A signal and its versions, with the rule over their live slots by version id.

    A signal of one version is that version: it is computed once, under None.
    """

    signal: Subject
    versions: list[Subject]
    live: dict[int | None, Traded]

    @property
    def apart(self) -> list[Subject]:
        """Versions that differ from the signal."""
        return self.versions if len(self.versions) > 1 else []


def as_of_at(now: datetime, deadline: timedelta) -> datetime:
    """Slots before it had their deadline an hour ago or earlier, and bars before it are closed."""
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
    work: dict[str, list[State]] = {"whole": [], "recent": [], "nothing": []}
    for state in states(connection, as_of, signal_ids):
        work["whole" if everything else work_of(state, as_of)].append(state)
    done = Updated()
    for kind, since in (("whole", None), ("recent", as_of - LONGEST - WARM_UP)):
        hour = _Hour(now, as_of, deadline, since)
        for group in groups(work[kind], since, as_of):
            one = _update(connection, group, hour)
            done = Updated(done.signals + len(group), done.rows + one.rows, done.hours + one.hours)
    return done


def _update(connection: psycopg.Connection[Any], signals: list[int], hour: _Hour) -> Updated:
    history = read_history(connection, signals, hour.since, hour.as_of, hour.now, hour.deadline)
    families = [_family(*one, hour) for one in subjects_of(history)]
    trials = _trials(connection, history, families)
    known = {
        (signal_id, version_id): at
        for signal_id, version_id, at in connection.execute(LIVE_SINCE, [signals]).fetchall()
    }
    rows, hours = 0, 0
    for family in families:
        found = list(_rows(family, trials[family.signal.provider_id], known, hour))
        start = hour.since and hour.since + WARM_UP
        with connection.transaction():
            write_rows(connection, found, hour.as_of, hour.now)
            hours += write_returns(
                connection, family.signal.signal_id, family.live[None].series, start, hour.now
            )
        rows += len(found)
    return Updated(rows=rows, hours=hours)


def _family(signal: Subject, versions: list[Subject], hour: _Hour) -> _Family:
    family = _Family(signal, versions, {})
    for one in (signal, *family.apart):
        family.live[one.version_id] = traded(one, ("live",), hour.rule, hour.as_of)
    return family


def _trials(
    connection: psycopg.Connection[Any], history: History, families: list[_Family]
) -> dict[str, Trials]:
    """Of each provider; the ratios over all time, of this hour where they are computed in it."""
    providers = history.versions["provider_id"].unique().to_list()
    counts, stored = read_trials(connection, providers)
    ratios: dict[str, dict[int, float]] = {provider: {} for provider in providers}
    for provider, version_id, ratio in stored.iter_rows():
        ratios[provider][version_id] = ratio
    for family in families if history.since is None else ():
        for version in family.versions:
            run = family.live.get(version.version_id, family.live[None])
            fresh = sharpe_per_hour(run.series["net"].to_numpy())
            if fresh is not None and version.version_id is not None:
                ratios[version.provider_id][version.version_id] = fresh
    return {one: Trials(counts[one], list(ratios[one].values())) for one in providers}


def _rows(
    family: _Family,
    trials: Trials,
    known: dict[tuple[int, int | None], datetime | None],
    hour: _Hour,
) -> Iterator[Row]:
    for subject in (family.signal, *family.apart):
        stored = known.get((subject.signal_id, subject.version_id))
        for period, document in _documents(subject, family, trials, stored, hour).items():
            yield Row(subject.signal_id, subject.version_id, period, document)
            for only in family.versions if not family.apart else ():
                yield Row(subject.signal_id, only.version_id, period, document)


def _documents(
    subject: Subject,
    family: _Family,
    trials: Trials,
    live_since: datetime | None,
    hour: _Hour,
) -> dict[str, Document]:
    """By period; periods that begin before the record does are one."""
    rule = hour.rule
    runs = Runs(
        live=family.live[subject.version_id],
        by_delay={
            delay: family.live[subject.version_id]
            if delay == rule.delay_hours
            else traded(subject, ("live",), RuleParameters(
                delay_hours=delay, cost_bps=rule.cost_bps, deadline_minutes=rule.deadline_minutes
            ), hour.as_of)
            for delay in DELAYS_HOURS
        },
        replayed=replayed(subject, rule, hour.as_of),
    )  # fmt: skip
    first = subject.slots["slot"].min()
    first_live = subject.of("live")["slot"].min()
    since = min((at for at in (live_since, first_live) if isinstance(at, datetime)), default=None)
    starts: dict[str, datetime | None] = {
        period: hour.as_of - length for period, length in RECENT.items()
    }
    if hour.since is None:
        starts["all"] = None
    documents: dict[str, Document] = {}
    computed: dict[datetime | None, Document] = {}
    for period, start in starts.items():
        covers = start is None or (isinstance(first, datetime) and start <= first)
        key = None if covers and hour.since is None else start
        if key not in computed:
            computed[key] = measured(subject, runs, key, hour.as_of, since, trials, rule)
        documents[period] = computed[key]
    return documents
