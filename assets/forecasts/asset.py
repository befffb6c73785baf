"""Dagster's view of the versions: one asset each, run in shards.

A shard is one step that yields the results of its versions; `slot.py` runs those
of all shards of a process together. A version that missed its slot yields no
materialization but a failed check, so that its neighbours stand and an operator can
run it again from the UI; what fails on our side raises and is retried.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from assets.forecasts.audit import audit_replay
from assets.forecasts.progress import Progress
from assets.forecasts.record import Recorded
from assets.forecasts.replay import replay_version
from assets.forecasts.slot import SlotRuns
from assets.forecasts.version import PublishedVersion
from assets.installation import Installation
from assets.market_data.asset import KEY as BARS
from assets.market_data.asset import slot_of

CHECK = "forecast_made"
SHARD_SIZE = 100
# Its limit stands in deploy/dagster.yaml.
POOL = "sandboxes"


def shards(
    versions: Sequence[PublishedVersion],
    partitions: dg.PartitionsDefinition[Any],
    size: int = SHARD_SIZE,
) -> list[dg.AssetsDefinition]:
    """All versions' assets, by shards of up to `size`. A version keeps its shard: ids only grow."""
    by_shard: dict[int, list[PublishedVersion]] = {}
    for version in versions:
        by_shard.setdefault(version.id // size, []).append(version)
    by_id = {version.id: version for version in versions}
    return [
        _shard(number, members, by_id, partitions) for number, members in sorted(by_shard.items())
    ]


def _shard(
    number: int,
    members: Sequence[PublishedVersion],
    by_id: Mapping[int, PublishedVersion],
    partitions: dg.PartitionsDefinition[Any],
) -> dg.AssetsDefinition:
    by_key = {dg.AssetKey(version.asset_key): version for version in members}

    @dg.multi_asset(
        name=f"shard_{number:04d}",
        specs=[_spec(version) for version in members],
        check_specs=[dg.AssetCheckSpec(CHECK, asset=key) for key in by_key],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        required_resource_keys={"installation", "slot_runs"},
        pool=POOL,
        retry_policy=dg.RetryPolicy(max_retries=2, delay=10),
    )
    def shard(context: dg.AssetExecutionContext) -> Iterator[Any]:
        installation: Installation = context.resources.installation
        chosen = [by_key[key] for key in by_key if key in context.selected_asset_keys]
        slots = [slot_of(key) for key in context.partition_keys]
        if len(slots) == 1:
            yield from _run_slot(context, by_id, chosen, slots[0])
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
            **_examined(version),
        },
    )


def _examined(version: PublishedVersion) -> dict[str, Any]:
    """What the sandbox saw of the version at its publication."""
    if version.leak_report is None:
        return {}
    return {
        "deterministic": str(version.deterministic).lower(),
        "leak_verdict": version.leak_report["verdict"],
        "leak_report": dg.MetadataValue.json(version.leak_report),
    }


def _run_slot(
    context: dg.AssetExecutionContext,
    by_id: Mapping[int, PublishedVersion],
    chosen: Sequence[PublishedVersion],
    slot: datetime,
) -> Iterator[Any]:
    """Results of the chosen versions; a process' first step asks for those of all its steps."""
    installation: Installation = context.resources.installation
    everyone = _of_this_process(context, by_id)
    checks = _Checks.of(context, chosen)
    counts: Counter[str] = Counter()
    runs: SlotRuns = context.resources.slot_runs
    for batch in runs.results([v.id for v in chosen], everyone, slot, context.run.run_id):
        for version, done in batch:
            counts[done.provenance] += 1
            yield from _results(installation, version, slot, done, checks)
    # One line for a shard: each is a row of the event log.
    context.log.info("%s: %s", slot, ", ".join(f"{n} {kind}" for kind, n in counts.items()))


def _of_this_process(
    context: dg.AssetExecutionContext, by_id: Mapping[int, PublishedVersion]
) -> list[PublishedVersion]:
    """The run's versions whose steps this process has: all, or a worker's own among several."""
    layer = context.job_def.asset_layer
    steps = set(context.get_step_execution_context().execution_plan.step_keys_to_execute)
    here = {
        tuple(key.path)
        for key in layer.selected_asset_keys
        if str(layer.get_op_output_handle(key).node_handle) in steps
    }
    return [version for version in by_id.values() if tuple(version.asset_key) in here]


@dataclass(frozen=True)
class _Checks:
    """Which of a shard's checks are yielded though they pass.

    A tick plans none: a good slot leaves a check that is green as it is, and turns
    another one green. Whoever materializes a version in the UI has planned its check.
    """

    planned: AbstractSet[dg.AssetCheckKey]
    to_show: AbstractSet[dg.AssetCheckKey]

    @classmethod
    def of(cls, context: dg.AssetExecutionContext, versions: Sequence[PublishedVersion]) -> Self:
        keys = [_check_key(version) for version in versions]
        latest = context.instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        green = {
            key
            for key, one in latest.items()
            if one.status == AssetCheckExecutionRecordStatus.SUCCEEDED
        }
        planned = context.selected_asset_check_keys
        return cls(planned, {key for key in keys if key not in green or key in planned})


def _run_range(
    context: dg.AssetExecutionContext,
    installation: Installation,
    version: PublishedVersion,
    slots: Sequence[datetime],
) -> Iterator[Any]:
    run_id = context.run.run_id
    told = Progress(version.label, len(slots))
    for one in replay_version(installation, version, slots, dagster_run_id=run_id):
        if line := told.after(one):
            context.log.info(line)
    audit = audit_replay(installation, version, slots, dagster_run_id=run_id)
    context.log.info("%s: %s", version.label, audit.verdict)
    facts: dict[str, Any] = {
        "slots": len(slots),
        "forecasts": told.forecasts,
        "missed": told.missed,
        "seconds": round(told.seconds, 3),
        "slots_per_second": round(told.slots_per_second, 1),
        "audit": audit.verdict,
    }
    yield dg.MaterializeResult(asset_key=version.asset_key, metadata=facts)
    yield dg.AssetCheckResult(
        asset_key=dg.AssetKey(version.asset_key),
        check_name=CHECK,
        passed=not (told.missed or audit.differing),
        metadata={
            "without_forecast": told.missed,
            "first": told.first_miss,
            "audit": audit.verdict,
        },
    )


def _results(
    installation: Installation,
    version: PublishedVersion,
    slot: datetime,
    done: Recorded,
    checks: "_Checks",
) -> Iterator[Any]:
    if done.reason is None:
        yield dg.MaterializeResult(
            asset_key=version.asset_key, metadata=_metadata(installation, version, done)
        )
    key = _check_key(version)
    if done.reason is None and key not in checks.to_show:
        return
    metadata = {
        "slot": slot.isoformat(),
        "reason": done.reason or "",
        "provenance": done.provenance,
    }
    # A result is refused, with a warning, where the check was not planned.
    kind = dg.AssetCheckResult if key in checks.planned else dg.AssetCheckEvaluation
    yield kind(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=done.reason is None,
        metadata=metadata,
    )


def _metadata(
    installation: Installation, version: PublishedVersion, done: Recorded
) -> dict[str, Any]:
    url = f"{installation.api_url}/v1/signals/{version.provider}/{version.name}"
    measured = {
        "latency_ms": done.wall_ms,
        "cpu_ms": done.cpu_ms,
        "peak_memory_mb": done.peak_memory_mb,
        "leaf_index": done.leaf_index,
    }
    return {
        "provenance": done.provenance,
        "forecasts": done.forecasts,
        "input_digest": done.input_digest or "",
        "image": version.image_digest,
        "signal": dg.MetadataValue.url(url),
        **{name: value for name, value in measured.items() if value is not None},
    }


def _check_key(version: PublishedVersion) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(dg.AssetKey(version.asset_key), CHECK)
