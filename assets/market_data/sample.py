"""Generated bars for any hour, the same whenever asked, labelled sample data.

Theory of operation: the log price at a full hour is a pure function of symbol
and hour, so nothing is stored and bar t opens where bar t-1 closed. It is a
random walk built top-down (Levy's midpoint displacement): an interval of
2^j hours adds a tent of height N(0, 2^j / 4), drawn from a hash of symbol, j
and the interval's number. Intervals stop at 2^14 hours, so that prices wander
for months and never leave for good. The height follows a slow volatility, and
a faint daily cycle is laid on top: a model that is honest can find it.
"""

import hashlib
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.market_data.frames import DELIVERY_SCHEMA, UTC_TIME
from assets.market_data.source import Delivery, InstrumentDeclaration, empty_frame, unknown_symbol

Hours = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

HOUR_US = 3_600_000_000
LEVELS = 14
DAILY_CYCLE = 0.5
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Profile(NamedTuple):
    """How a generated symbol looks.

    Attributes:
        price: the level it returns to.
        volatility: standard deviation of the hourly log return.
        decimals: places its prices are rounded to.
        hourly_volume: median units per hour; None: not published.
    """

    price: float
    volatility: float
    decimals: int
    hourly_volume: float | None


PROFILES = {
    "EURUSD": Profile(1.1, 0.0005, 5, None),
    "BTCUSDT": Profile(60_000.0, 0.0045, 2, 1_000.0),
    "ETHUSDT": Profile(3_000.0, 0.0055, 2, 12_000.0),
}
OTHER = Profile(100.0, 0.0015, 4, 5_000.0)


class SampleSource:
    """Generated bars, every hour of the week.

    Args:
        symbols: what to offer; any name will do.
    """

    name = "sample"
    is_sample = True
    history_step = None

    def __init__(self, symbols: tuple[str, ...] = tuple(PROFILES)) -> None:
        self.symbols = symbols

    def instruments(self) -> list[InstrumentDeclaration]:
        """All `24x7`: a demonstration on a Sunday has bars too."""
        return [InstrumentDeclaration(symbol, "24x7") for symbol in self.symbols]

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        """Generated bars with `start <= ts_open < end`, closed by `now`, oldest first.

        Raises:
            PermanentSourceError: the symbol was not named to the constructor.
        """
        if symbol not in self.symbols:
            raise unknown_symbol(symbol, list(self.symbols))
        first = -(-_microseconds(start) // HOUR_US)
        last = min(-(-_microseconds(end) // HOUR_US), _microseconds(now) // HOUR_US)
        frame = _bars(symbol, first, last) if last > first else empty_frame()
        return Delivery(frame, fetched_at=now, raw_bytes=frame.write_csv().encode())

    def read(self, symbol: str, raw_bytes: bytes) -> pl.DataFrame:
        """The bars of an answer of ours."""
        del symbol
        instants: dict[str, pl.DataType] = dict.fromkeys(("ts_open", "ts_close"), pl.String())
        return pl.read_csv(raw_bytes, schema_overrides=DELIVERY_SCHEMA | instants).with_columns(
            pl.col(*instants).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us")
        )


def _microseconds(instant: datetime) -> int:
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _bars(symbol: str, first: int, last: int) -> pl.DataFrame:
    profile = PROFILES.get(symbol, OTHER)
    seed = int.from_bytes(hashlib.sha256(symbol.encode()).digest()[:8], "little")
    hours = np.arange(first, last + 1, dtype=np.int64)
    level = profile.price * np.exp(profile.volatility * _log_level(seed, hours))
    edges = np.round(level, profile.decimals)
    opened, closed, hours = edges[:-1], edges[1:], hours[:-1]
    reach = 0.5 * profile.volatility * _volatility(seed, hours)
    above = np.maximum(opened, closed) * np.exp(reach * np.abs(_normal(seed, 101, hours)))
    below = np.minimum(opened, closed) * np.exp(-reach * np.abs(_normal(seed, 102, hours)))
    frame = pl.DataFrame(
        {
            "ts_open": hours * HOUR_US,
            "ts_close": (hours + 1) * HOUR_US,
            "open": opened,
            # Rounded outwards by the edges themselves: both lie on the grid of decimals.
            "high": np.maximum(np.round(above, profile.decimals), np.maximum(opened, closed)),
            "low": np.minimum(np.round(below, profile.decimals), np.minimum(opened, closed)),
            "close": closed,
            "volume": _volume(seed, hours, profile.hourly_volume),
        },
        strict=False,
    )
    return frame.with_columns(
        pl.col("ts_open", "ts_close").cast(UTC_TIME), pl.col("volume").cast(pl.Float64)
    ).select(list(DELIVERY_SCHEMA))


def _log_level(seed: int, hours: Hours) -> Floats:
    """Log price at full hours, in units of one hour's volatility."""
    level = np.zeros(len(hours))
    for j in range(1, LEVELS + 1):
        length = 2**j
        interval = hours // length
        tent = 1.0 - np.abs(2.0 * (hours - interval * length) / length - 1.0)
        height = 0.5 * np.sqrt(length) * _normal(seed, j, interval)
        level += height * _volatility(seed, interval * length + length // 2) * tent
    return level + DAILY_CYCLE * np.sin(2 * np.pi * hours / 24 + seed % 7)


def _volatility(seed: int, hours: Hours) -> Floats:
    """Multiplier around 1 that stays high or low for days."""
    phase = seed % 11
    slow = 0.35 * np.sin(2 * np.pi * hours / (24 * 17.3) + phase)
    fast = 0.25 * np.sin(2 * np.pi * hours / (24 * 5.1) + 2 * phase)
    multiplier: Floats = np.exp(slow + fast - 0.1)
    return multiplier


def _volume(seed: int, hours: Hours, median: float | None) -> Floats | list[None]:
    if median is None:
        return [None] * len(hours)
    spread = np.exp(0.4 * _normal(seed, 103, hours))
    return np.round(median * _volatility(seed, hours) * spread, 3)


def _normal(seed: int, stream: int, index: Hours) -> Floats:
    """Standard normal draws by Box and Muller, one per index, from a hash alone."""
    key = _mixed(index.astype(np.uint64) ^ _mixed(np.full(1, seed ^ (stream << 56), np.uint64)))
    first = (_unit(key) + 2.0**-54, _unit(_mixed(key)))
    draws: Floats = np.sqrt(-2.0 * np.log(first[0])) * np.cos(2 * np.pi * first[1])
    return draws


def _unit(key: npt.NDArray[np.uint64]) -> Floats:
    return (key >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(key: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """splitmix64 (Steele, Lea and Flood 2014), wrapping as uint64 arrays do."""
    key = key + np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))
