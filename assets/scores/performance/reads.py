"""What performance is computed from, read in a handful of queries for many signals at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

import polars as pl
import psycopg

from assets.market_data.frames import UTC_TIME, copy_out, read_frame

# A baseline looks back as many days as the longest horizon has.
BEFORE = timedelta(days=9)

VERSIONS: LiteralString = """
select v.id, v.signal_id, g.provider_id::text, extract(epoch from v.published_at)::bigint,
       coalesce(v.manifest->'forecast'->>'target', 'return'),
       coalesce(jsonb_array_length(v.manifest->'forecast'->'symbols'), 1)
from registry.version v join registry.signal g on g.id = v.signal_id
where v.signal_id = any (%(signals)s) and v.published_at is not null
"""
VERSION_SCHEMA: dict[str, pl.DataType] = {
    "version_id": pl.Int64(), "signal_id": pl.Int64(), "provider_id": pl.String(),
    "published_at": pl.Int64(), "target": pl.String(), "symbols": pl.Int32(),
}  # fmt: skip

# What a version owes at each slot.
OWED: LiteralString = """
select v.id, i.id, horizon.hours::int, i.calendar
from registry.version v
cross join lateral jsonb_array_elements_text(v.manifest->'forecast'->'symbols') as s(symbol)
join market.instrument i on i.symbol = s.symbol
cross join lateral jsonb_array_elements(v.manifest->'forecast'->'horizons_hours') as horizon(hours)
where v.signal_id = any (%(signals)s) and v.published_at is not null
"""
OWED_SCHEMA: dict[str, pl.DataType] = {
    "version_id": pl.Int64(), "instrument_id": pl.Int32(), "horizon_hours": pl.Int32(),
    "calendar": pl.String(),
}  # fmt: skip

SLOTS: LiteralString = """
select r.id, v.signal_id, r.version_id, (extract(epoch from r.slot) * 1000000)::bigint,
       (extract(epoch from r.recorded_at) * 1000000)::bigint,
       case when r.leaf_index is not null and r.provenance <> 'missed' and not exists (
              select from forecast.opening o where o.slot_record_id = r.id) then 'unopened'
            else forecast.proven_provenance(r.provenance, r.slot, r.leaf_index, %(deadline)s,
                                            %(now)s) end
from forecast.slot_record r join registry.version v on v.id = r.version_id
where v.signal_id = any (%(signals)s) and r.slot < %(as_of)s
  and (%(since)s::timestamptz is null or r.slot >= %(since)s::timestamptz)
"""
SLOT_SCHEMA: dict[str, pl.DataType] = {
    "slot_record_id": pl.Int64(), "signal_id": pl.Int64(), "version_id": pl.Int64(),
    "slot": UTC_TIME, "available_at": UTC_TIME, "provenance": pl.String(),
}  # fmt: skip

# Each forecast with its newest score, and what no change would have been as its model knew it:
# the last close in the window that it was given.
FORECASTS: LiteralString = """
select f.slot_record_id, f.instrument_id, f.horizon_hours, f.point, f.quantiles::text,
       f.probability_up, case when v.target = 'return' then 0.0 else known.close end,
       s.outcome, s.error, s.absolute_error, s.squared_error, s.hit::int, s.reference,
       s.symmetric_error, s.scale, s.squared_scale, s.seasonal_naive, s.naive2, s.pinball_loss,
       s.interval_score, s.pit, s.brier, s.log_score
from forecast.slot_record r
join (select id, signal_id, coalesce(manifest->'forecast'->>'target', 'return') as target
      from registry.version) v on v.id = r.version_id
join forecast.forecast f on f.slot_record_id = r.id
left join lateral (
  select s.* from score.score s
  where s.slot_record_id = f.slot_record_id and s.instrument_id = f.instrument_id
    and s.horizon_hours = f.horizon_hours
  order by s.outcome_batch_id desc limit 1) s on true
left join lateral (
  select b.close from market.bar b
  where v.target = 'price' and b.instrument_id = f.instrument_id
    and b.ts_open >= r.slot - interval '7 days' and b.ts_open < r.slot and b.ts_close <= r.slot
    and b.available_at <= r.cutoff and b.batch_id <= r.max_batch
  order by b.ts_open desc, b.available_at desc, b.batch_id desc limit 1) known on true
where v.signal_id = any (%(signals)s) and r.slot < %(as_of)s
  and (%(since)s::timestamptz is null or r.slot >= %(since)s::timestamptz)
"""
FORECAST_SCHEMA: dict[str, pl.DataType] = {
    "slot_record_id": pl.Int64(), "instrument_id": pl.Int32(), "horizon_hours": pl.Int32(),
    "point": pl.Float64(), "quantiles": pl.String(), "probability_up": pl.Float64(),
    "known_reference": pl.Float64(), "outcome": pl.Float64(), "error": pl.Float64(),
    "absolute_error": pl.Float64(), "squared_error": pl.Float64(), "hit": pl.Int8(),
    **dict.fromkeys(
        ("reference", "symmetric_error", "scale", "squared_scale", "seasonal_naive", "naive2",
         "pinball_loss", "interval_score", "pit", "brier", "log_score"), pl.Float64()),
}  # fmt: skip

BARS: LiteralString = """
select distinct on (b.instrument_id, b.ts_open) b.instrument_id, b.ts_open, b.ts_close, b.open,
       b.close
from market.bar b
where b.instrument_id = any (%(instruments)s) and b.ts_open >= %(first)s and b.ts_close <= %(now)s
  and b.available_at <= %(now)s
order by b.instrument_id, b.ts_open, b.available_at desc, b.batch_id desc
"""
BAR_SCHEMA: dict[str, pl.DataType] = {
    "instrument_id": pl.Int32(), "ts_open": UTC_TIME, "ts_close": UTC_TIME,
    "open": pl.Float64(), "close": pl.Float64(),
}  # fmt: skip

# Versions are never deleted, so that tries are not forgotten; rejected ones ran before they were.
TRIALS: LiteralString = """
select g.provider_id::text, count(*)
from registry.version v join registry.signal g on g.id = v.signal_id
where g.provider_id = any (%(providers)s::uuid[]) group by g.provider_id
"""
SHARPES: LiteralString = """
select g.provider_id::text, p.version_id,
       (p.measures #>> '{live,sharpe_per_hour,value}')::float8
from score.performance p join registry.signal g on g.id = p.signal_id
where g.provider_id = any (%(providers)s::uuid[]) and p.period = 'all'
  and p.version_id is not null and p.measures #>> '{live,sharpe_per_hour,value}' is not null
"""
SHARPE_SCHEMA: dict[str, pl.DataType] = {
    "provider_id": pl.String(), "version_id": pl.Int64(), "sharpe": pl.Float64(),
}  # fmt: skip


@dataclass(frozen=True)
class History:
    """Frames of several signals, by the schemas above.

    Attributes:
        forecasts: with `signal_id`, `version_id`, `slot`, `available_at`, `provenance`, `target`
            and `symbols` of their slot and version.
        bars: the newest version of each, ascending by `ts_open`.
        since: slots from here on are in it, UTC; None: all of them.
    """

    versions: pl.DataFrame
    owed: pl.DataFrame
    slots: pl.DataFrame
    forecasts: pl.DataFrame
    bars: pl.DataFrame
    since: datetime | None


def read_history(
    connection: psycopg.Connection[Any],
    signals: Sequence[int],
    since: datetime | None,
    as_of: datetime,
    now: datetime,
    deadline: timedelta,
) -> History:
    """Slots in `[since, as_of)` of signals, their forecasts and scores, and the bars of it all."""
    values = {
        "signals": list(signals),
        "since": since,
        "as_of": as_of,
        "now": now,
        "deadline": deadline,
    }
    versions = copy_out(connection, VERSIONS, values, VERSION_SCHEMA)
    owed = copy_out(connection, OWED, values, OWED_SCHEMA)
    slots = copy_out(connection, SLOTS, values, SLOT_SCHEMA).join(
        versions.select("version_id", "published_at", "target", "symbols"), on="version_id"
    )
    forecasts = (
        copy_out(connection, FORECASTS, values, FORECAST_SCHEMA)
        .join(slots, on="slot_record_id")
        .with_columns(pl.col("hit").cast(pl.Boolean))
    )
    instruments = pl.concat([owed["instrument_id"], forecasts["instrument_id"]]).unique()
    first = slots["slot"].min()
    return History(
        versions=versions,
        owed=owed,
        slots=slots,
        forecasts=forecasts,
        bars=_bars(connection, instruments.to_list(), first, now),
        since=since,
    )


def _bars(
    connection: psycopg.Connection[Any], instruments: list[int], first: Any, now: datetime
) -> pl.DataFrame:
    if first is None or not instruments:
        return pl.DataFrame(schema=BAR_SCHEMA)
    values = {"instruments": instruments, "first": first - BEFORE, "now": now}
    return read_frame(connection, BARS, values, BAR_SCHEMA).sort("ts_open")


def read_trials(
    connection: psycopg.Connection[Any], providers: Sequence[str]
) -> tuple[dict[str, int], pl.DataFrame]:
    """How many versions each provider ever pushed, and the Sharpe ratios per hour on record."""
    values = {"providers": list(providers)}
    counts = dict(connection.execute(TRIALS, values).fetchall())
    return counts, copy_out(connection, SHARPES, values, SHARPE_SCHEMA)
