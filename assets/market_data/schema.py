"""What makes a row a bar, rule by rule.

Three traps of pandera on polars are closed here. Data checks are skipped on a
LazyFrame, so only DataFrames are taken and the depth is pinned. Coercion would
call naive times UTC, so types are compared before anything else and nothing is
coerced. Empty frames and checks that yield null would pass, so the first is an
error and the second a failure.
"""

from datetime import UTC, datetime

import msgspec
import pandera.polars as pa
import polars as pl
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaErrors

from assets.market_data.frames import DELIVERY_SCHEMA, PRICES

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
CALENDAR = (datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
MINUTE_US = 60_000_000


class FrameError(ValueError):
    """The frame as a whole is no delivery of bars; no row was judged."""


class MalformedFrameError(FrameError):
    """Columns or types are not those of a delivery; says which."""


class EmptyFrameError(FrameError):
    """No rows: an answer that says nothing is not an answer."""


class Reject(msgspec.Struct, frozen=True):
    """A refused row.

    Attributes:
        row_number: position in the delivery, from 0.
        rule: name of the first rule it broke.
        row: as delivered; what JSON cannot say (NaN, infinities) as text.
    """

    row_number: int
    rule: str
    row: dict[str, object]


class Validated(msgspec.Struct, frozen=True):
    """Good rows in the delivery's order, and the refused ones."""

    good: pl.DataFrame
    rejects: list[Reject]


def row_rules(now: datetime) -> dict[str, pl.Expr]:
    """Rules that look at one row, by name, in the order in which they are reported."""
    opened, closed, volume = pl.col("ts_open"), pl.col("ts_close"), pl.col("volume")
    high, low = pl.col("high"), pl.col("low")
    return {
        "time_given": opened.is_not_null() & closed.is_not_null(),
        "time_after_1990": opened >= EARLIEST,
        "not_in_the_future": opened <= now,
        "on_the_minute": opened.to_physical() % MINUTE_US == 0,
        "at_most_an_hour": (closed > opened) & (closed - opened <= pl.duration(hours=1)),
        "closed_by_now": closed <= now,
        "prices_finite": pl.all_horizontal(pl.col(*PRICES).is_finite()),
        "prices_positive": pl.all_horizontal(pl.col(*PRICES) > 0),
        "low_and_high_enclose": (low <= pl.min_horizontal("open", "close"))
        & (high >= pl.max_horizontal("open", "close")),
        "volume_null_or_finite": volume.is_null() | (volume.is_finite() & (volume >= 0)),
    }


def rules(now: datetime) -> dict[str, pl.Expr]:
    """All rules: those of a row, then that no good row repeats an earlier one's `ts_open`."""
    by_row = {name: rule.fill_null(value=False) for name, rule in row_rules(now).items()}
    sound = pl.all_horizontal(*by_row.values())
    # A bad row does not use up its hour: the good one after it stands.
    first = pl.struct("ts_open", sound.alias("sound")).is_first_distinct()
    return {**by_row, "hour_not_repeated": ~sound | first}


def bar_schema(now: datetime) -> pa.DataFrameSchema:
    """The pandera schema of a delivery at `now`."""
    return pa.DataFrameSchema(
        {name: pa.Column(kind, nullable=True) for name, kind in DELIVERY_SCHEMA.items()},
        checks=[_check(name, rule) for name, rule in rules(now).items()],
        strict=True,
        coerce=False,
        name="bars",
    )


def _check(name: str, rule: pl.Expr) -> pa.Check:
    return pa.Check(lambda data: data.lazyframe.select(rule), name=name, error=name)


def validate(frame: pl.DataFrame, now: datetime) -> Validated:
    """Part the bars of a delivery from the rows that are none.

    Args:
        frame: columns as of `Delivery.frame`, in that order.
        now: UTC; bars that close later are refused.

    Raises:
        MalformedFrameError: a column is missing, additional or of another
            type; naive times are.
        EmptyFrameError: no rows.
    """
    _refuse_other_types(frame)
    if frame.is_empty():
        raise EmptyFrameError("the delivery has no rows: ask the source again, or another period")
    try:
        with config_context(
            validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA
        ):
            # pandera prints rows, and Python's datetime ends before a broken stamp may. Both
            # ends of the calendar break a rule, so that no row is saved by being moved there.
            readable = frame.with_columns(pl.col("ts_open", "ts_close").clip(*CALENDAR))
            bar_schema(now).validate(readable, lazy=True)
    except SchemaErrors as errors:
        return _parted(frame, _first_broken(errors, list(rules(now))))
    return Validated(frame, [])


def _refuse_other_types(frame: pl.DataFrame) -> None:
    if not isinstance(frame, pl.DataFrame):
        raise MalformedFrameError(f"a {type(frame).__name__}: data checks need a DataFrame")
    found, wanted = dict(frame.schema), DELIVERY_SCHEMA
    for name in [*wanted, *found]:
        if found.get(name) != wanted.get(name):
            raise MalformedFrameError(
                f"column {name} is {found.get(name, 'missing')}, not"
                f" {wanted.get(name, 'expected at all')}: mend the source, nothing is coerced"
            )
    if list(found) != list(wanted):
        raise MalformedFrameError(f"columns stand as {list(found)}, not {list(wanted)}")


def _first_broken(errors: SchemaErrors, order: list[str]) -> pl.DataFrame:
    cases: pl.DataFrame = errors.failure_cases
    if cases["index"].null_count():  # pragma: no cover - types were compared before
        raise MalformedFrameError(str(errors))
    rank = pl.col("check").replace_strict({name: at for at, name in enumerate(order)})
    return (
        cases.select(pl.col("index").cast(pl.UInt32), pl.col("check"), rank.alias("rank"))
        .sort("index", "rank")
        .unique("index", keep="first", maintain_order=True)
    )


def _parted(frame: pl.DataFrame, broken: pl.DataFrame) -> Validated:
    bad = frame[broken["index"]]
    told = bad.with_columns(
        # As text: a broken stamp may lie outside what Python's datetime holds.
        pl.col("ts_open", "ts_close").dt.to_string("iso:strict"),
        *(
            pl.col(name).cast(pl.String)
            for name in (*PRICES, "volume")
            if not bad[name].is_finite().fill_null(value=True).all()
        ),
    )
    rejects = [
        Reject(row_number, rule, row)
        for row_number, rule, row in zip(
            broken["index"], broken["check"], told.iter_rows(named=True), strict=True
        )
    ]
    kept = ~pl.int_range(pl.len(), dtype=pl.UInt32).is_in(broken["index"].implode())
    return Validated(frame.filter(kept), rejects)
