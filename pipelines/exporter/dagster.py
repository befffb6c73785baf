"""Dagster: does its daemon live, what waits, how long did runs take?"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
from prometheus_client.core import GaugeMetricFamily

from pipelines.exporter.families import gauge, gauges

DAY = timedelta(hours=24)
WAITING = ("queued", "not_started", "starting")
JOBS_AT_MOST = 50
# `job` is Prometheus' own word for whom it asks.


def dagster(connection: psycopg.Connection[Any], now: datetime) -> Iterator[GaugeMetricFamily]:
    """By the world's clock, which is Dagster's."""
    beats = connection.execute("select daemon, beat_at from watch.heartbeats()").fetchall()
    yield gauges(
        "daemon_heartbeat_age_seconds", "Since a part of Dagster's daemon said that it lives",
        ("daemon",), (((daemon.lower(),), (now - at).total_seconds()) for daemon, at in beats),
    )  # fmt: skip
    unfinished = connection.execute(
        "select job, status, runs, oldest from watch.unfinished_runs() limit %s", [JOBS_AT_MOST]
    ).fetchall()
    yield gauges(
        "runs_unfinished", "Runs that wait or run, by job and status", ("dagster_job", "status"),
        (((job, status), runs) for job, status, runs, _ in unfinished),
    )  # fmt: skip
    waiting = [row for row in unfinished if row[1] in WAITING]
    yield gauge("runs_waiting", "Runs that wait to be started", sum(row[2] for row in waiting))
    oldest = min((row[3] for row in waiting), default=now)
    yield gauge(
        "run_waiting_seconds", "Since the oldest of them; 0: none", (now - oldest).total_seconds()
    )
    yield from _ended(connection, now - DAY)


def _ended(connection: psycopg.Connection[Any], since: datetime) -> Iterator[GaugeMetricFamily]:
    ended = connection.execute(
        "select job, status, runs, quantile::text, seconds from watch.ended_runs(%s)"
        " order by job, status, quantile limit %s",
        [since, 3 * JOBS_AT_MOST],
    ).fetchall()
    yield gauges(
        "runs_ended", "Runs that ended within a day", ("dagster_job", "status"),
        (((job, status), runs) for job, status, runs, quantile, _ in ended if quantile == "1"),
    )  # fmt: skip
    yield gauges(
        "run_seconds", "How long the good runs of a day took", ("dagster_job", "quantile"),
        (((job, quantile), seconds) for job, status, _, quantile, seconds in ended
         if status == "success" and seconds is not None),
    )  # fmt: skip
