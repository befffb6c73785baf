"""A subject's forecasts run through the trading rule."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from assets.scores.performance.subject import RUN_AFTERWARDS, Subject
from assets.scores.trading.decisions import decisions, directions
from assets.scores.trading.hours import open_hours
from assets.scores.trading.parameters import RuleParameters
from assets.scores.trading.rule import SERIES_SCHEMA, held, hourly
from assets.scores.trading.trades import closed_trades

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Traded:
    """The rule over all that was read.

    Attributes:
        series: as `rule.hourly` gives it.
        trades: as `closed_trades` gives it.
    """

    series: pl.DataFrame
    trades: pl.DataFrame

    def since(self, start: datetime | None) -> "Traded":
        """What falls in a period; positions come in as they are."""
        if start is None:
            return self
        return Traded(
            self.series.filter(pl.col("hour") >= start),
            self.trades.filter(pl.col("closed_at") >= start),
        )


NOTHING_TRADED = Traded(
    pl.DataFrame(schema=SERIES_SCHEMA),
    pl.DataFrame(schema={"closed_at": SERIES_SCHEMA["hour"], "net": pl.Float64()}),
)


def traded(
    subject: Subject, provenances: tuple[str, ...], rule: RuleParameters, as_of: datetime
) -> Traded:
    """The rule over slots of these provenances, every other hour being flat, up to `as_of`."""
    answers = directions(
        subject.of(*provenances)
        .select(
            "slot",
            "instrument_id",
            "horizon_hours",
            "symbols",
            "point",
            available_at=_available(provenances, rule),
            reference="known_reference",
        )
        .unique(["slot", "instrument_id", "horizon_hours"], keep="first", maintain_order=True)
    )
    first = answers["slot"].min()
    if not isinstance(first, datetime) or subject.bars.is_empty():
        return NOTHING_TRADED
    decided = decisions(answers, first, as_of, rule)
    bars = held(decided, subject.bars, rule)
    opens = _full_hour(first + timedelta(minutes=rule.deadline_minutes, hours=rule.delay_hours))
    hours = open_hours(subject.calendars, opens, max(opens, as_of))
    return Traded(hourly(bars, hours, as_of), closed_trades(bars))


def replayed(subject: Subject, rule: RuleParameters, as_of: datetime) -> Traded:
    """The rule over slots that were run afterwards, in the hours that these decided.

    Nobody owed the others: they are no flat hours, but none.
    """
    run = traded(subject, RUN_AFTERWARDS, rule, as_of)
    decided = subject.of(*RUN_AFTERWARDS).select(
        hour=pl.col("slot") + timedelta(hours=1 + rule.delay_hours)
    )
    return Traded(run.series.join(decided, on="hour", how="semi"), run.trades)


def _available(provenances: tuple[str, ...], rule: RuleParameters) -> pl.Expr:
    """When an answer could be acted on; what was run afterwards is taken to be ready in time."""
    if provenances == ("live",):
        return pl.col("available_at")
    return pl.col("slot") + timedelta(minutes=rule.deadline_minutes)


def _full_hour(instant: datetime) -> datetime:
    """The full hour at or after an instant."""
    floor = instant.replace(minute=0, second=0, microsecond=0)
    return floor if floor == instant else floor + HOUR
