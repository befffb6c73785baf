"""`python -m benchmarks.workers_run PARTITION`: the run of a tick, as a run launcher starts it."""

import sys

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository


def main() -> int:
    """Run job `tick` for one partition; 0 when it succeeded."""
    repository = ReconstructableRepository.for_module("pipelines.definitions", "definitions")
    with (
        dg.DagsterInstance.get() as instance,
        dg.execute_job(
            repository.get_reconstructable_job("tick"),
            instance=instance,
            tags={"dagster/partition": sys.argv[1]},
        ) as result,
    ):
        return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
