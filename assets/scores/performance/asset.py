"""Dagster's view of performance."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from assets.installation import Installation
from assets.scores.performance.update import update_performance

KEY = dg.AssetKey("performance")


def performance_asset(
    partitions: dg.PartitionsDefinition[Any], upstream: Sequence[dg.AssetKey]
) -> dg.AssetsDefinition:
    """The asset `performance`, downstream of scores."""

    @dg.asset(
        key=KEY,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=list(upstream),
        group_name="scores",
        kinds={"postgres", "polars"},
        owners=["team:operator"],
        required_resource_keys={"installation"},
        description=(
            "What scores and bars add up to: measures of each signal and version over 30 days, 90"
            " days and all time, from slots proven live alone, with intervals; and the hourly"
            " returns of the declared trading rule. Whatever partition is asked for, what is not"
            " up to date now is computed. Derived: it can be computed again from facts."
        ),
    )
    def performance(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        installation: Installation = context.resources.installation
        with installation.connect() as connection:
            done = update_performance(connection, installation.clock(), installation.live_deadline)
        return dg.MaterializeResult(
            metadata={"signals": done.signals, "rows": done.rows, "hours": done.hours}
        )

    return performance
