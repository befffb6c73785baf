"""Run workers of one machine, and whether they still live.

Theory of operation: Dagster's default launcher has the code server start each run worker as a
process of its own, and notices a worker's death through that server alone. Where the server dies
as well, nobody ever says that the run is over, its slot counts as under way, and is never asked
for again. A worker's process id stands in the run's events: the daemon, on the same machine, looks
whether that process is there, and was there before the run. Where runs are containers, their own
launchers know.
"""

import os
from pathlib import Path

import dagster as dg
from dagster._core.launcher import DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

PROC = Path("/proc")
# A process began no later than its run said so, but for the clocks' grain.
GRAIN_SECONDS = 2.0


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher, whose runs fail when their workers have died."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Look at the process that the run said it is."""
        said = self._said(run)
        if said is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "it has not said which process it is")
        pid, at = said
        if is_process(pid, at):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"its process {pid} is gone")

    def _said(self, run: dg.DagsterRun) -> tuple[int, float] | None:
        events = self._instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        for event in reversed(events):
            data = event.dagster_event.engine_event_data if event.dagster_event else None
            pid = data.metadata.get("pid") if data else None
            if pid is not None and str(pid.value).isdecimal():
                return int(str(pid.value)), event.timestamp
        return None


def is_process(pid: int, at: float) -> bool:
    """Does the process live that had this id at `at`, in seconds since 1970?"""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    began = _booted() + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return fields[0] != "Z" and began <= at + GRAIN_SECONDS


def _booted() -> float:
    lines = (PROC / "stat").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("btime ")))
