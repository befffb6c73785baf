"""Whose performance it is: one version, or a signal as its subscribers received it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from assets.scores.performance.reads import History

DUE = ("live", "late", "missed", "unopened")
RUN_AFTERWARDS = ("replayed", "backfilled")


@dataclass(frozen=True)
class Subject:
    """Frames of one signal or version.

    Attributes:
        version_id: None: the signal; at each slot the version that served it.
        slots: one row a slot and group (`due`, `replayed`, `backfilled`), with `provenance`, and
            `offline` for hours between due slots that no version owed.
        forecasts: of those slots.
        owed: `version_id`, `instrument_id`, `horizon_hours`.
        bars: of the instruments of either.
        calendars: of the instruments.
    """

    signal_id: int
    version_id: int | None
    provider_id: str
    slots: pl.DataFrame
    forecasts: pl.DataFrame
    owed: pl.DataFrame
    bars: pl.DataFrame
    calendars: tuple[str, ...]

    def of(self, *provenances: str, start: datetime | None = None) -> pl.DataFrame:
        """Forecasts of slots of these provenances, from `start` on."""
        frame = self.forecasts.filter(pl.col("provenance").is_in(provenances))
        return frame if start is None else frame.filter(pl.col("slot") >= start)

    @property
    def longest_horizon(self) -> int:
        """Hours; at least 1."""
        frames = (self.owed, self.forecasts)
        return max(int(str(frame["horizon_hours"].max() or 1)) for frame in frames)


def subjects_of(history: History) -> Iterator[tuple[Subject, list[Subject]]]:
    """Each signal, with its versions that have a record in this history."""
    for (signal_id,), versions in history.versions.partition_by("signal_id", as_dict=True).items():
        slots = history.slots.filter(pl.col("signal_id") == signal_id)
        ids = versions["version_id"].to_list()
        whole = Subject(
            signal_id=int(str(signal_id)),
            version_id=None,
            provider_id=versions["provider_id"][0],
            slots=slots,
            forecasts=history.forecasts.filter(pl.col("signal_id") == signal_id),
            owed=history.owed.filter(pl.col("version_id").is_in(ids)),
            bars=history.bars,
            calendars=(),
        )
        recorded = sorted(slots["version_id"].unique().to_list())
        yield _served(whole, recorded), [_served(whole, [one], one) for one in recorded]


def _served(whole: Subject, versions: list[int], version_id: int | None = None) -> Subject:
    """Of each slot the record that was served: the newest version's that answered.

    So `GET .../forecasts/latest` chooses. Who answers late is served late, and a version that
    missed does not hide another's answer.
    """
    mine = pl.col("version_id").is_in(versions)
    is_due = pl.col("provenance").is_in(DUE)
    slots = (
        whole.slots.filter(mine)
        .with_columns(
            group=pl.when(is_due).then(pl.lit("due")).otherwise("provenance"),
            answered=pl.col("provenance") != "missed",
        )
        .sort("answered", "published_at", "version_id", descending=True)
        .unique(["slot", "group"], keep="first", maintain_order=True)
        .sort("slot")
    )
    forecasts = whole.forecasts.join(slots, on="slot_record_id", how="semi").sort("slot")
    owed = whole.owed.filter(mine)
    used = pl.concat([owed["instrument_id"], forecasts["instrument_id"]]).unique()
    return replace(
        whole,
        version_id=version_id,
        slots=_with_offline(slots),
        forecasts=forecasts,
        owed=owed.select("version_id", "instrument_id", "horizon_hours"),
        bars=whole.bars.filter(pl.col("instrument_id").is_in(used.implode())),
        calendars=tuple(sorted(set(owed["calendar"].to_list()))) or ("24x7",),
    )


def _with_offline(slots: pl.DataFrame) -> pl.DataFrame:
    """With a row for each hour between due slots that has none, owed by the version before."""
    due = slots.filter(pl.col("group") == "due")
    if due.is_empty():
        return slots
    grid = due.select(pl.datetime_range(pl.col("slot").min(), pl.col("slot").max(), "1h"))
    offline = (
        grid.join(due.select("slot", "version_id"), on="slot", how="left")
        .with_columns(version_before=pl.col("version_id").forward_fill())
        .filter(pl.col("version_id").is_null())
        .select(
            "slot",
            version_id="version_before",
            group=pl.lit("due"),
            provenance=pl.lit("offline"),
        )
    )
    return pl.concat([slots, offline], how="diagonal").sort("slot")
