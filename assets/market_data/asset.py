"""Dagster's view of the bars."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from assets.installation import Installation
from assets.market_data.checks import CheckResult, gaps, stale_feed
from assets.market_data.source import Source
from assets.market_data.store import ingest

KEY = dg.AssetKey(["market_data", "bars"])
OVERLAP = timedelta(hours=48)
CHECKS = ("no_gaps", "feed_is_fresh")
NEWEST = """
select i.symbol, i.calendar,
       array_agg(distinct b.ts_open) filter (where b.ts_open is not null) as opened
from market.instrument i
left join market.bar b on b.instrument_id = i.id and b.ts_open >= %s and b.ts_close <= %s
where i.symbol = any(%s)
group by i.symbol, i.calendar
"""


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
        check_specs=[dg.AssetCheckSpec(name, asset=KEY, blocking=False) for name in CHECKS],
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
        with installation.connect() as connection:
            summary = ingest(
                connection, source, symbols, start, slots[-1], now,
                is_history=is_history, feed_delay=installation.feed_delay,
            )  # fmt: skip
            opened = connection.execute(NEWEST, [start, slots[-1], symbols]).fetchall()
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
            }
        )
        yield _judged(
            "no_gaps",
            [
                (symbol, gaps(hours or [], calendar, start, slots[-1]))
                for symbol, calendar, hours in opened
            ],
        )
        yield _judged(
            "feed_is_fresh",
            [
                (symbol, stale_feed(_newest_close(hours), calendar, slots[-1]))
                for symbol, calendar, hours in opened
            ],
        )

    return bars


def slot_of(partition_key: str) -> datetime:
    """The slot of a partition: its start, UTC."""
    return datetime.strptime(partition_key, "%Y-%m-%d-%H:%M").replace(tzinfo=UTC)


def _newest_close(opened: list[datetime] | None) -> datetime | None:
    return max(opened) + timedelta(hours=1) if opened else None


def _judged(name: str, results: list[tuple[str, CheckResult]]) -> dg.AssetCheckResult:
    failed = {symbol: result for symbol, result in results if not result.passed}
    return dg.AssetCheckResult(
        asset_key=KEY,
        check_name=name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={symbol: str(result.metadata) for symbol, result in failed.items()},
    )
