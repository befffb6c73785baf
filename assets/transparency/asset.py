"""Dagster's view of the log."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from assets.installation import Installation
from assets.market_data.asset import slot_of
from assets.transparency.coverage import coverage_of
from assets.transparency.fsck import first_of_day, fsck

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
            "Log, records, openings, registry and tree, each held against the others as by"
            " signalbox fsck: all of it, with every layer of every image, at 00:00 UTC; the last"
            " day's leaves at other hours. Fails, naming the first fault, when anything is out of"
            " place."
        ),
    )
    def log(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        installation: Installation = context.resources.installation
        with installation.connect() as connection:
            first = first_of_day(connection, slot_of(context.partition_keys[-1]))
            report = fsck(
                connection,
                installation.clock(),
                images=None if first else installation.images,
                live_deadline=installation.live_deadline,
                first=first,
            )
            shown = coverage_of(connection).metadata()
        if not report.is_whole:
            raise dg.Failure(
                f"{report.faults} faults: {report.shown[0]}",
                metadata={fault.subject: fault.problem for fault in report.shown[:SHOWN]},
                allow_retries=False,
            )
        return dg.MaterializeResult(
            metadata={
                "audited": report.leaves,
                "audited_from": report.first,
                "owed": report.owed,
                "faults": 0,
                **shown,
            }
        )

    return log
