"""Dagster's view of the business' figures."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from assets.installation import Installation
from assets.usage.business import end_of, figures_of, store
from assets.usage.credits import KEY as CREDITS

KEY = dg.AssetKey(["usage", "business"])


def business_asset(partitions: dg.PartitionsDefinition[Any]) -> dg.AssetsDefinition:
    """The asset `usage/business`, one partition a day, computed when the day is over."""

    @dg.asset(
        key=KEY,
        partitions_def=partitions,
        deps=[CREDITS],
        group_name="usage",
        kinds={"postgres"},
        owners=["team:operator"],
        required_resource_keys={"installation"},
        description=(
            "Recurring revenue, people who pay and who try, conversion, churn, and revenue per"
            " signal at the end of a day, from invoices and trials alone; null with a reason where"
            " a figure is not defined. docs/operations/business.md defines each."
        ),
    )
    def business(context: dg.AssetExecutionContext) -> Iterator[Any]:
        installation: Installation = context.resources.installation
        now, day = installation.clock(), date.fromisoformat(context.partition_key)
        if now < end_of(day):
            raise dg.Failure(f"{day} is not over: its figures are those of its end")
        with installation.connect() as connection:
            figures = figures_of(connection, day)
            store(connection, day, figures, now)
        yield dg.MaterializeResult(
            metadata={
                "figures": len(figures),
                "not_defined": sum(one.value is None for one in figures),
            }
        )

    return business
