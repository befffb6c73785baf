"""Dagster's view of the versions: one asset each, run in shards.

A shard is one step that drives many sandboxes and yields each version as it
completes. A version that missed its slot yields no materialization but a failed
check, so that its neighbours stand and an operator can run it again from the
UI; what fails on our side raises and is retried.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

import dagster as dg

from assets.forecasts.record import Recorded, find_record, record
from assets.forecasts.run import replay_range, tick
from assets.forecasts.version import PublishedVersion, due_slots
from assets.installation import Installation
from assets.market_data.asset import KEY as BARS
from assets.market_data.asset import slot_of
from assets.market_data.window import pin

CHECK = "forecast_made"
SHARD_SIZE = 100


def shards(
    versions: Sequence[PublishedVersion], partitions: dg.PartitionsDefinition[Any]
) -> list[dg.AssetsDefinition]:
    """All versions' assets. A version keeps its shard: ids only grow."""
    by_shard: dict[int, list[PublishedVersion]] = {}
    for version in versions:
        by_shard.setdefault(version.id // SHARD_SIZE, []).append(version)
    return [_shard(number, members, partitions) for number, members in sorted(by_shard.items())]


def _shard(
    number: int, members: Sequence[PublishedVersion], partitions: dg.PartitionsDefinition[Any]
) -> dg.AssetsDefinition:
    by_key = {dg.AssetKey(version.asset_key): version for version in members}

    @dg.multi_asset(
        name=f"shard_{number:04d}",
        specs=[_spec(version) for version in members],
        check_specs=[dg.AssetCheckSpec(CHECK, asset=key) for key in by_key],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        required_resource_keys={"installation"},
        retry_policy=dg.RetryPolicy(max_retries=2, delay=10),
    )
    def shard(context: dg.AssetExecutionContext) -> Iterator[Any]:
        installation: Installation = context.resources.installation
        chosen = [by_key[key] for key in by_key if key in context.selected_asset_keys]
        slots = [slot_of(key) for key in context.partition_keys]
        if len(slots) == 1:
            yield from _run_slot(context, installation, chosen, slots[0])
        else:
            for version in chosen:
                yield from _run_range(context, installation, version, slots)

    return shard


def _spec(version: PublishedVersion) -> dg.AssetSpec:
    forecast = version.manifest.forecast
    return dg.AssetSpec(
        key=version.asset_key,
        deps=[BARS],
        skippable=True,
        group_name="signals",
        description=f"{version.title}. {version.manifest.signal.description}",
        code_version=version.image_digest,
        owners=["team:" + version.provider],
        kinds={"python"},
        tags={"provider": version.provider, "signal": version.name},
        metadata={
            "image": version.image_digest,
            "published_at": version.published_at.isoformat(),
            "symbols": ", ".join(forecast.symbols),
            "horizons_hours": ", ".join(map(str, forecast.horizons_hours)),
        },
    )


def _run_slot(
    context: dg.AssetExecutionContext,
    installation: Installation,
    versions: Sequence[PublishedVersion],
    slot: datetime,
) -> Iterator[Any]:
    with installation.connect() as connection, installation.connect() as reading:
        owed = set(due_slots(connection, installation.clock()).get(slot, []))
        waiting = []
        for version in versions:
            done = find_record(connection, version.id, slot, due_only=version.id in owed)
            if done is not None and done.provenance != "missed":
                yield from _results(installation, version, slot, done)
            elif version.state == "live" or slot < version.published_at:
                waiting.append(version)
        if not waiting:
            return
        pinned = pin(connection, slot, installation.feed_delay)
        with closing(installation.engine()) as engine:
            for outcome in tick(reading, engine, installation.images, waiting, pinned):
                written = record(
                    connection,
                    outcome,
                    is_due=outcome.version.id in owed,
                    now=installation.clock(),
                    live_deadline=installation.live_deadline,
                    dagster_run_id=context.run.run_id,
                )
                context.log.info("%s %s: %s", outcome.version.label, slot, written.provenance)
                yield from _results(installation, outcome.version, slot, written)


def _run_range(
    context: dg.AssetExecutionContext,
    installation: Installation,
    version: PublishedVersion,
    slots: Sequence[datetime],
) -> Iterator[Any]:
    written = list(replay_version(installation, version, slots, dagster_run_id=context.run.run_id))
    made = [done for done in written if done.reason is None]
    yield dg.MaterializeResult(
        asset_key=version.asset_key,
        metadata={"slots": len(slots), "forecasts": sum(done.forecasts for done in made)},
    )
    missed = [done for done in written if done.reason is not None]
    yield dg.AssetCheckResult(
        asset_key=dg.AssetKey(version.asset_key),
        check_name=CHECK,
        passed=not missed,
        metadata={"without_forecast": len(missed), "first": missed[0].reason if missed else ""},
    )


def replay_version(
    installation: Installation,
    version: PublishedVersion,
    slots: Sequence[datetime],
    *,
    dagster_run_id: str | None = None,
) -> Iterator[Recorded]:
    """Replay the slots that have no forecast yet, oldest first, and record each."""
    with installation.connect() as connection, installation.connect() as reading:
        there = {
            slot: done
            for slot in slots
            if (done := find_record(connection, version.id, slot, due_only=False)) is not None
            and done.reason is None
        }
        yield from there.values()
        left = [slot for slot in slots if slot not in there]
        if not left:
            return
        pinned = pin(connection, left[-1], installation.feed_delay)
        images = installation.images
        with closing(installation.engine()) as engine:
            for outcome in replay_range(reading, engine, images, version, left, pinned):
                yield record(
                    connection,
                    outcome,
                    is_due=False,
                    now=installation.clock(),
                    live_deadline=installation.live_deadline,
                    dagster_run_id=dagster_run_id,
                )


def _results(
    installation: Installation, version: PublishedVersion, slot: datetime, done: Recorded
) -> Iterator[Any]:
    if done.reason is None:
        url = f"{installation.api_url}/v1/signals/{version.provider}/{version.name}"
        metadata: dict[str, Any] = {
            "provenance": done.provenance,
            "forecasts": done.forecasts,
            "latency_ms": done.wall_ms,
            "input_digest": done.input_digest or "",
            "image": version.image_digest,
            "signal": dg.MetadataValue.url(url),
        }
        if done.leaf_index is not None:
            metadata["leaf_index"] = done.leaf_index
        yield dg.MaterializeResult(asset_key=version.asset_key, metadata=metadata)
    yield dg.AssetCheckResult(
        asset_key=dg.AssetKey(version.asset_key),
        check_name=CHECK,
        passed=done.reason is None,
        metadata={
            "slot": slot.isoformat(),
            "reason": done.reason or "",
            "provenance": done.provenance,
        },
    )
