"""`python -m tests.chaos.tick_run PARTITION`: the run of a tick, as a run launcher starts it."""

import sys

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository

if __name__ == "__main__":
    repository = ReconstructableRepository.for_module("pipelines.definitions", "definitions")
    with (
        dg.DagsterInstance.get() as instance,
        dg.execute_job(
            repository.get_reconstructable_job("tick"),
            instance=instance,
            tags={"dagster/partition": sys.argv[1]},
        ) as result,
    ):
        print(result.run_id)  # noqa: T201
    sys.exit(not result.success)
