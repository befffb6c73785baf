"""Dagster's check that what was appended was made public."""

import dagster as dg

from assets.installation import Installation
from assets.transparency.asset import KEY
from assets.transparency.coverage import coverage_of

CHECK = "covered_by_a_checkpoint"


def log_is_covered() -> dg.AssetChecksDefinition:
    """The check of `transparency/log`."""

    @dg.asset_check(
        asset=KEY,
        name=CHECK,
        required_resource_keys={"installation"},
        description=(
            "No leaf waits longer than a minute for a checkpoint with its quorum. Where this fails,"
            " forecasts cannot be proven to be live: see that the processes log and signer run."
        ),
    )
    def covered(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        installation: Installation = context.resources.installation
        with installation.connect() as connection:
            coverage = coverage_of(connection)
        fault = coverage.fault(installation.clock())
        return dg.AssetCheckResult(
            passed=fault is None,
            description=fault,
            metadata={"leaves": coverage.leaves, **coverage.metadata()},
        )

    return covered
