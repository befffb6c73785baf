"""Forecasts whose hour has come, against the bars that decided it.

A forecast is decided by two bars: the one that closed at its slot and the one
that closes at its target time, each in the newest version known. Where the
market was shut there is no such bar, and the forecast stays open: never zero.

A logged forecast whose opening is lost proves nothing, and gets no score: its slot
counts as missed.

A score is keyed by the newest batch among its two bars. A correction of either
comes in a later batch, so it scores again in a new row and the old one stays. What an
error is measured by, the scale, is of what was knowable at the slot, and is not among them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
import psycopg

from assets.market_data.frames import UTC_TIME, copy_out
from assets.scores.knowable import with_knowable
from assets.scores.rules.quantiles import PAIRS
from assets.scores.scored import with_scores
from sql.arrays import float8s, int4s, int8s

DECIDED = """
with due as (
  select f.slot_record_id, f.instrument_id, f.horizon_hours, f.point, f.quantiles,
         f.probability_up, r.slot, r.cutoff, f.target_time,
         coalesce(v.manifest -> 'forecast' ->> 'target', 'return') as target
  from forecast.forecast f
  join forecast.slot_record r on r.id = f.slot_record_id
  join registry.version v on v.id = r.version_id
  where f.target_time <= %(now)s
    and (r.leaf_index is null
         or exists (select from forecast.opening o where o.slot_record_id = r.id))
    and (%(versions)s::bigint[] is null or r.version_id = any (%(versions)s::bigint[]))
    and (%(since)s::timestamptz is null or r.slot >= %(since)s::timestamptz)
), span as (
  select instrument_id, min(slot) - interval '1 hour' as first, max(target_time) as last
  from due group by instrument_id
), newest as (
  select distinct on (b.instrument_id, b.ts_open)
         b.instrument_id, b.ts_open, b.ts_close, b.close, b.batch_id
  from span join market.bar b on b.instrument_id = span.instrument_id
       and b.ts_open >= span.first and b.ts_open < span.last
  where b.available_at <= %(now)s and b.ts_close <= %(now)s
  order by b.instrument_id, b.ts_open, b.available_at desc, b.batch_id desc
), closes as materialized (
  select distinct on (instrument_id, ts_close) instrument_id, ts_close, close, batch_id
  from newest order by instrument_id, ts_close, ts_open desc
)
select due.slot_record_id, due.instrument_id, due.horizon_hours,
       greatest(at_slot.batch_id, at_target.batch_id), due.target, due.point,
       at_slot.close, at_target.close, due.quantiles::text, due.probability_up,
       (extract(epoch from due.slot) * 1000000)::bigint,
       (extract(epoch from due.cutoff) * 1000000)::bigint
from due
join closes at_slot on at_slot.instrument_id = due.instrument_id and at_slot.ts_close = due.slot
join closes at_target on at_target.instrument_id = due.instrument_id
     and at_target.ts_close = due.target_time
where not exists (
  select from score.score s
  where s.slot_record_id = due.slot_record_id and s.instrument_id = due.instrument_id
    and s.horizon_hours = due.horizon_hours
    and s.outcome_batch_id = greatest(at_slot.batch_id, at_target.batch_id))
"""
DECIDED_SCHEMA: dict[str, pl.DataType] = {
    "slot_record_id": pl.Int64(),
    "instrument_id": pl.Int32(),
    "horizon_hours": pl.Int32(),
    "outcome_batch_id": pl.Int64(),
    "target": pl.String(),
    "point": pl.Float64(),
    "close_at_slot": pl.Float64(),
    "close_at_target": pl.Float64(),
    "quantiles": pl.String(),
    "probability_up": pl.Float64(),
    "slot": UTC_TIME,
    "cutoff": UTC_TIME,
}
INSERT = """
insert into score.score (slot_record_id, instrument_id, horizon_hours, outcome_batch_id,
                         scored_at, outcome, error, absolute_error, squared_error, hit,
                         reference, symmetric_error, scale, squared_scale, seasonal_naive, naive2,
                         pinball_loss, interval_score, pit, brier, log_score)
select u.slot_record_id, u.instrument_id, u.horizon_hours, u.outcome_batch_id, %s, u.outcome,
       u.error, u.absolute_error, u.squared_error, u.hit, u.reference, u.symmetric_error,
       u.scale, u.squared_scale, u.seasonal_naive, u.naive2, u.pinball_loss, u.interval_score,
       u.pit, u.brier, u.log_score
from unnest(%s::bigint[], %s::int[], %s::int[], %s::bigint[], %s::boolean[], %s::float8[],
            %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[],
            %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[],
            %s::float8[], %s::float8[])
     as u (slot_record_id, instrument_id, horizon_hours, outcome_batch_id, hit, outcome, error,
           absolute_error, squared_error, reference, symmetric_error, scale, squared_scale,
           seasonal_naive, naive2, pinball_loss, interval_score, pit, brier, log_score)
on conflict do nothing
"""
NUMBERS = (
    "outcome",
    "error",
    "absolute_error",
    "squared_error",
    "reference",
    "symmetric_error",
    "scale",
    "squared_scale",
    "seasonal_naive",
    "naive2",
    "pinball_loss",
    "interval_score",
    "pit",
    "brier",
    "log_score",
)
# The longest horizon, and two days for bars that come late.
LONGEST_OPEN = timedelta(hours=168 + 48)
ROWS_AT_ONCE = 50_000


def score_resolved(
    connection: psycopg.Connection,
    now: datetime,
    version_ids: Sequence[int] | None = None,
    *,
    since: datetime | None = None,
) -> int:
    """Score every forecast that is decided by `now` and not scored on that knowledge yet.

    Args:
        connection: autocommit, as `signalbox_worker`.
        now: UTC; bars available by then count.
        version_ids: only those; all by default.
        since: only forecasts of slots from here on, UTC; all by default. An
            hourly caller that passes nine days ago reads only what can be due.

    Returns:
        The number of scores written.
    """
    with connection.transaction():
        decided = copy_out(
            connection,
            DECIDED,
            {
                "now": now,
                "versions": None if version_ids is None else list(version_ids),
                "since": since,
            },
            DECIDED_SCHEMA,
        )
        scores = with_knowable(connection, scored(decided))
        written = 0
        for part in scores.iter_slices(ROWS_AT_ONCE):
            written += connection.execute(INSERT, [now, *_columns(part)]).rowcount
    return written


def _columns(scores: pl.DataFrame) -> list[object]:
    return [
        int8s(scores["slot_record_id"].to_list()),
        int4s(scores["instrument_id"].to_list()),
        int4s(scores["horizon_hours"].to_list()),
        int8s(scores["outcome_batch_id"].to_list()),
        scores["hit"].to_list(),
        *(float8s(scores[name].to_list()) for name in NUMBERS),
    ]


def scored(decided: pl.DataFrame) -> pl.DataFrame:
    """Outcome and every score of decided forecasts that needs no other hour.

    Args:
        decided: `target` (`return` or `price`), `point`, `close_at_slot`,
            `close_at_target` (prices), `quantiles` (JSON text), `probability_up`, and
            keys, which are kept.

    Returns:
        With `outcome`, `reference` (the target's unit: what no change would have been), and
        what `with_scores` adds.
    """
    is_return = pl.col("target") == "return"
    realised = (pl.col("close_at_target") / pl.col("close_at_slot")).log()
    return with_scores(
        decided.with_columns(
            outcome=pl.when(is_return).then(realised).otherwise("close_at_target"),
            reference=pl.when(is_return).then(0.0).otherwise("close_at_slot"),
            quantiles=pl.col("quantiles").str.json_decode(PAIRS),
        )
    )
