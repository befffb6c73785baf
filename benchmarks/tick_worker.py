"""The run worker of the tick's benchmark: a process of its own, which says what it took.

`python -m benchmarks.tick_worker PARTITION` prints one line of JSON.
"""

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec


def main() -> None:
    """Load the code location and run job `tick` for one partition."""
    began = time.perf_counter()
    import dagster as dg  # noqa: PLC0415 - importing is part of what is measured

    from pipelines.definitions import definitions  # noqa: PLC0415

    imported = time.perf_counter()
    loaded = definitions()
    job = loaded.resolve_job_def("tick")
    defined = time.perf_counter()
    spent = _instrument()
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(instance=instance, partition_key=sys.argv[1])
    ended = time.perf_counter()
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    print(
        msgspec.json.encode(
            {
                "ok": result.success,
                "materialized": len(result.get_asset_materialization_events()) - 1,
                "import": imported - began,
                "definitions": defined - imported,
                "run": ended - defined,
                "host_cpu": cpu.ru_utime + cpu.ru_stime,
                **spent,
            }
        ).decode()
    )


def _instrument() -> dict[str, float]:
    """Seconds by phase, filled in while the job runs."""
    from dagster_postgres import PostgresEventLogStorage  # noqa: PLC0415

    from assets.forecasts import slot, tick  # noqa: PLC0415
    from assets.forecasts.record import Recorder  # noqa: PLC0415

    spent: dict[str, float] = {}

    def timed(owner: Any, name: str, phase: str) -> None:
        inner: Callable[..., Any] = getattr(owner, name)
        spent[phase] = 0.0

        def outer(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                spent[phase] += time.perf_counter() - began

        setattr(owner, name, outer)

    timed(Recorder, "write", "records")
    timed(PostgresEventLogStorage, "store_event", "events")
    timed(tick._Runs, "__exit__", "closing")  # noqa: SLF001
    original = slot.run_slot

    def run_slot(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        yield from original(*args, **kwargs)
        spent["slot"] = time.perf_counter() - began

    slot.run_slot = run_slot
    return spent


if __name__ == "__main__":
    main()
