"""Measuring what a database holds, and what came of it."""

from assets.scores import score_resolved
from assets.scores.performance import update_performance
from sql.roles import WORKER
from tests.api.performance.recorded_hours import (
    DEADLINE,
    THEN,
)


def update(database, now=THEN, **how):
    with database.connect(WORKER) as worker:
        score_resolved(worker, now)
        return update_performance(worker, now, DEADLINE, **how)


def measures(database, period="all", version_id=None):
    with database.superuser() as rows:
        return rows.execute(
            "select measures from score.performance where period = %s"
            " and version_id is not distinct from %s::bigint",
            [period, version_id],
        ).fetchone()[0]
