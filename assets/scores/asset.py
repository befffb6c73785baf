"""Dagster's view of the scores."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from assets.installation import Installation
from assets.market_data.asset import slot_of
from assets.scores.score import LONGEST_OPEN, score_resolved

KEY = dg.AssetKey("scores")


def scores_asset(
    partitions: dg.PartitionsDefinition[Any], upstream: Sequence[dg.AssetKey]
) -> dg.AssetsDefinition:
    """The asset `scores`, downstream of bars and of every version."""

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
            "Forecasts against what happened: errors, direction, scores of quantiles and of"
            " probabilities, the scale and the naive rivals of each (docs/subscriber/scores.md)."
            " Partition H scores what was decided by the bars of slot H, and scores again in a new"
            " row where a bar was corrected. What has no outcome yet stays open."
        ),
    )
    def scores(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        installation: Installation = context.resources.installation
        oldest = slot_of(context.partition_keys[0]) - LONGEST_OPEN
        with installation.connect() as connection:
            written = score_resolved(connection, installation.clock(), since=oldest)
        return dg.MaterializeResult(metadata={"scores": written})

    return scores
