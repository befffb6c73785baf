"""Dagster's view of the bars."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from assets.installation import Installation
from assets.market_data.checks import CheckResult
from assets.market_data.quality import CHECKS, examine
from assets.market_data.source import Source, SourceError
from assets.market_data.store import ingest
from sql import traces

KEY = dg.AssetKey(["market_data", "bars"])
OVERLAP = timedelta(hours=48)
EXAMINED = timedelta(days=7)
NAMED_SYMBOLS = 50


def bars_asset(partitions: dg.PartitionsDefinition[Any]) -> dg.AssetsDefinition:
    """The asset `market_data/bars` on the installation's hourly grid."""

    @dg.asset(
        key=KEY,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="market_data",
        kinds={"postgres", "polars"},
        owners=["team:operator"],
        required_resource_keys={"installation", "market_source"},
        retry_policy=dg.RetryPolicy(max_retries=3, delay=5),
        check_specs=[
            dg.AssetCheckSpec(name, asset=KEY, blocking=False, description=held)
            for name, held in CHECKS.items()
        ],
        description=(
            "Hourly bars as they were knowable at each slot. Partition H holds what the source"
            " delivered for slot H: bars that closed by H. Corrections are new rows; rejected rows"
            " land in market.reject with the rule they broke."
        ),
    )
    def bars(context: dg.AssetExecutionContext) -> Iterator[Any]:
        installation: Installation = context.resources.installation
        slots = [slot_of(key) for key in context.partition_keys]
        now = installation.clock()
        source: Source = context.resources.market_source
        # A range is an operator's import of the past. A single slot that comes late is not:
        # dating its bars back would show replays what no live run could have seen.
        is_history = len(slots) > 1
        symbols = [declared.symbol for declared in source.instruments()]
        start = slots[0] - OVERLAP
        failures: list[SourceError] = []
        run = traces.of_run(context.run.run_id)
        with run, traces.span("bars"), installation.connect() as connection:
            summary = ingest(
                connection, source, symbols, start, slots[-1], now,
                is_history=is_history, feed_delay=installation.feed_delay, failures=failures,
            )  # fmt: skip
            for failure in failures:
                context.log.warning(str(failure))
            findings = examine(
                connection, symbols, min(start, slots[-1] - EXAMINED), slots[-1], gaps_from=start
            )
        yield dg.MaterializeResult(
            metadata={
                "source": source.name,
                "is_sample_data": source.is_sample,
                "symbols": ", ".join(symbols),
                "new": summary.new,
                "same": summary.same,
                "corrected": summary.corrected,
                "rejected": summary.rejected,
                "batch": summary.batch_id,
                "history": is_history,
                "failed": {error.symbol: str(error) for error in failures},
            }
        )
        for name, results in findings.items():
            yield _judged(name, results)

    return bars


def slot_of(partition_key: str) -> datetime:
    """The slot of a partition: its start, UTC."""
    return datetime.strptime(partition_key, "%Y-%m-%d-%H:%M").replace(tzinfo=UTC)


def _judged(name: str, results: dict[str, CheckResult]) -> dg.AssetCheckResult:
    failed = {symbol: result for symbol, result in results.items() if not result.passed}
    named = list(failed.items())[:NAMED_SYMBOLS]
    return dg.AssetCheckResult(
        asset_key=KEY,
        check_name=name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "symbols_failed": len(failed),
            **{symbol: dg.MetadataValue.json(result.metadata) for symbol, result in named},
        },
    )
