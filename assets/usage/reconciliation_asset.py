"""Dagster's view of the nightly comparison with the payment provider."""

from typing import Any

import dagster as dg

from assets.installation import Installation
from assets.usage.reconciliation import reconcile

KEY = dg.AssetKey(["usage", "reconciliation"])
SHOWN = 50


def reconciliation_asset() -> dg.AssetsDefinition:
    """The asset `usage/reconciliation`."""

    @dg.asset(
        key=KEY,
        group_name="usage",
        kinds={"postgres"},
        owners=["team:operator"],
        required_resource_keys={"installation"},
        retry_policy=dg.RetryPolicy(max_retries=2, delay=60),
        description=(
            "What the payment provider has against what we have. Payments, refunds and disputes of"
            " which no webhook arrived have their effect through the same inbox, and are named"
            " here; subscriptions there that had not heard of a cancellation here are told."
        ),
    )
    def reconciliation(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        installation: Installation = context.resources.installation
        if installation.stripe is None:
            return dg.MaterializeResult(metadata={"payment_provider": "none to compare with"})
        with installation.connect() as connection:
            found = reconcile(
                connection, installation.stripe, installation.clock(), installation.grace
            )
        return dg.MaterializeResult(
            metadata={
                "payment_provider": "stripe",
                "compared": found.compared,
                "lost": len(found.lost),
                "lost_first": ", ".join(found.lost[:SHOWN]),
                "told": len(found.told),
                "told_first": ", ".join(found.told[:SHOWN]),
            }
        )

    return reconciliation
