"""A worker's connection, and a source that delivers exactly what a test says."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import psycopg
import pytest

from assets.market_data import Delivery, InstrumentDeclaration
from assets.market_data.frames import DELIVERY_SCHEMA
from sql.roles import WORKER

Frames = Callable[..., pl.DataFrame]


class GivenSource:
    """Delivers the frames it was made with, whatever the period."""

    name = "given"
    is_sample = False

    def __init__(self, **frames: pl.DataFrame) -> None:
        self.frames = frames

    def instruments(self) -> list[InstrumentDeclaration]:
        return [InstrumentDeclaration(symbol, "24x7") for symbol in self.frames]

    def fetch(self, symbol: str, start: datetime, end: datetime, now: datetime) -> Delivery:
        del start, end
        return Delivery(self.frames[symbol], fetched_at=now, raw_bytes=b"raw")


@pytest.fixture
def worker(database) -> Iterator[psycopg.Connection]:
    with database.connect(WORKER) as connection:
        yield connection


@pytest.fixture
def given() -> type[GivenSource]:
    return GivenSource


@pytest.fixture
def day() -> datetime:
    return datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def bars(day) -> Frames:
    def make(closes: list[float], first: datetime = day) -> pl.DataFrame:
        opened = [first + timedelta(hours=at) for at in range(len(closes))]
        return pl.DataFrame(
            {
                "ts_open": opened,
                "ts_close": [hour + timedelta(hours=1) for hour in opened],
                "open": closes,
                "high": closes,
                "low": closes,
                "close": closes,
                "volume": [1.0] * len(closes),
            },
            schema=DELIVERY_SCHEMA,
        )

    return make
