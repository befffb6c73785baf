"""Dagster's view of the nightly sample."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from assets.installation import Installation
from assets.transparency.asset import KEY as LOG
from assets.transparency.reproduce import Reproduction
from assets.transparency.reproduce_sample import reproduce_sample

KEY = dg.AssetKey(["transparency", "reproduced"])
CHECK = "gave_the_same_again"


def reproduced_asset(partitions: dg.PartitionsDefinition[Any]) -> dg.AssetsDefinition:
    """The asset `transparency/reproduced`, one partition a day."""

    @dg.asset(
        key=KEY,
        partitions_def=partitions,
        deps=[LOG],
        group_name="transparency",
        kinds={"postgres", "python"},
        owners=["team:operator"],
        required_resource_keys={"installation"},
        check_specs=[dg.AssetCheckSpec(CHECK, asset=KEY)],
        retry_policy=dg.RetryPolicy(max_retries=2, delay=60),
        description=(
            "Logged forecasts, drawn by the log itself when the day began, computed again by image"
            " and pinned input in fresh sandboxes. Each verdict is a row and an audit/v1 leaf. The"
            " check turns red when one of them gave anything else, and names the first."
        ),
    )
    def reproduced(context: dg.AssetExecutionContext) -> Iterator[Any]:
        installation: Installation = context.resources.installation
        day = date.fromisoformat(context.partition_key)
        verdicts = reproduce_sample(installation, day, dagster_run_id=context.run.run_id)
        counts = Counter(verdict.result for verdict in verdicts)
        first = next((_line(one) for one in verdicts if one.result != "reproduced"), "")
        yield dg.MaterializeResult(
            metadata={
                "drawn": len(verdicts),
                "reproduced": counts["reproduced"],
                "differs": counts["differs"],
                "not_possible": counts["not_possible"],
                "leaves": ", ".join(str(verdict.leaf) for verdict in verdicts),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=CHECK,
                    passed=counts["reproduced"] == len(verdicts),
                    metadata={"first": first},
                )
            ],
        )

    return reproduced


def _line(verdict: Reproduction) -> str:
    return f"leaf {verdict.leaf}, {verdict.signal}@{verdict.version}: {verdict.why}"
