"""Dagster's view of the log."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from assets.installation import Installation
from assets.transparency.chain import audit_log
from assets.transparency.coverage import coverage_of

KEY = dg.AssetKey(["transparency", "log"])
SHOWN = 20


def log_asset(
    partitions: dg.PartitionsDefinition[Any], forecasts: Sequence[dg.AssetKey]
) -> dg.AssetsDefinition:
    """The asset `transparency/log`, downstream of every version."""

    @dg.asset(
        key=KEY,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=list(forecasts),
        group_name="transparency",
        kinds={"postgres"},
        owners=["team:operator"],
        required_resource_keys={"installation"},
        description=(
            "The log of versions, forecasts and misses, audited as a whole: positions and"
            " sequence numbers without gaps, every leaf chained to its signal's last, every due"
            " record with its leaf. Fails, naming the leaf, when anything is out of place."
        ),
    )
    def log(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        installation: Installation = context.resources.installation
        with installation.connect() as connection:
            leaves, faults = audit_log(connection)
            shown = coverage_of(connection).metadata()
        if faults:
            raise dg.Failure(
                f"the log is not whole: {faults[0].subject} {faults[0].problem}",
                metadata={f.subject: f.problem for f in faults[:SHOWN]},
                allow_retries=False,
            )
        return dg.MaterializeResult(metadata={"leaves": leaves, "faults": 0, **shown})

    return log
