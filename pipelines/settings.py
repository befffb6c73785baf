"""What the code server and the run workers need to know."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assets.forecasts.asset import SHARD_SIZE
from assets.market_data.alpaca import AlpacaSource
from assets.market_data.file import FileSource
from assets.market_data.recorded import RecordedSource
from assets.market_data.sample import SampleSource
from assets.market_data.source import MissingExtraError, Source
from assets.market_data.yfinance import YahooSource
from pipelines.retention import Kept
from sandbox.runner.engine import EngineChoice, PathChoice
from sql.configuration import ConfigurationError
from sql.payments.stripe.account import URL as STRIPE_URL

StoredKey = Callable[[uuid.UUID, str], str]
"""Opens a data-source key by its id, for a reason that is put on record."""

STORED = "stored="
LOCK_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class WorkerSettings(msgspec.Struct, frozen=True):
    """Read from the environment; see docs/operations/configuration.md."""

    database_url: str
    image_store: str
    environment: str = "production"
    demo_clock: str | None = None
    sandbox_engine: EngineChoice = "auto"
    sandbox_path: PathChoice = "forked"
    sandbox_runtime: str | None = None
    approved_locks: str = ""
    zygotes_mb: Annotated[int, Meta(ge=0)] = 2048
    market_source: str = "sample"
    feed_delay_minutes: Annotated[int, Meta(ge=0, le=59)] = 2
    live_deadline_minutes: Annotated[int, Meta(ge=1, le=60)] = 10
    schedule_cron: str = "1 * * * *"
    partitions_start: str = "2024-01-01"
    api_url: str = "http://127.0.0.1:8700"
    tick_memory_mb: Annotated[int, Meta(ge=64)] | None = None
    stripe_key_file: str | None = None
    stripe_url: str = STRIPE_URL
    grace_days: Annotated[int, Meta(ge=0, le=3)] = 3
    data_key_file: str | None = None
    tick_executor: Literal["in_process", "celery"] = "in_process"
    shard_size: Annotated[int, Meta(ge=1)] = SHARD_SIZE
    celery_broker: str | None = None
    celery_password_file: str | None = None
    worker_shards: Annotated[int, Meta(ge=1)] = 2
    lease_seconds: Annotated[int, Meta(ge=2)] = 15
    retention_runs_days: Annotated[int, Meta(ge=7)] = 90
    retention_answers_days: Annotated[int, Meta(ge=7)] = 365
    retention_sessions_days: Annotated[int, Meta(ge=1)] = 30

    @property
    def kept(self) -> Kept:
        """For how long what grows is kept."""
        return Kept(
            runs=timedelta(days=self.retention_runs_days),
            answers=timedelta(days=self.retention_answers_days),
            sessions=timedelta(days=self.retention_sessions_days),
        )

    @property
    def feed_delay(self) -> timedelta:
        return timedelta(minutes=self.feed_delay_minutes)

    @property
    def live_deadline(self) -> timedelta:
        return timedelta(minutes=self.live_deadline_minutes)

    @property
    def locks_approved(self) -> tuple[str, ...]:
        """Digests of locks whose every wheel the operator vouches for."""
        locks = tuple(part.strip() for part in self.approved_locks.split(",") if part.strip())
        for lock in locks:
            if not LOCK_DIGEST.fullmatch(lock):
                raise ConfigurationError(
                    f"SIGNALBOX_APPROVED_LOCKS: {lock!r} is not sha256: and 64 hexadecimal digits"
                )
        return locks

    @property
    def first_partition(self) -> datetime:
        return datetime.fromisoformat(self.partitions_start).replace(tzinfo=UTC)


SOURCE_FORMS = (
    "sample, file:DIR, recorded:DIR:YYYY-MM-DD:SYMBOL,SYMBOL, ccxt:EXCHANGE:BTC/USD,NAME=ETH/USD,"
    " alpaca:KEYFILE:SYMBOL,SYMBOL, alpaca:stored=ID:SYMBOL,SYMBOL, or yfinance:SYMBOL,SYMBOL"
)


def _no_stored_key(key_id: uuid.UUID, why: str) -> str:
    raise ConfigurationError(f"data-source key {key_id} ({why}) cannot be opened here")


def source_of(text: str, stored_key: StoredKey = _no_stored_key) -> Source:
    """The market's source by its setting, in one of `SOURCE_FORMS`.

    Raises:
        ConfigurationError: another form, or what it names cannot be used.
    """
    kind, _, rest = text.partition(":")
    try:
        found = _source(kind, rest, stored_key)
    except (MissingExtraError, OSError, ValueError) as error:
        raise ConfigurationError(f"SIGNALBOX_MARKET_SOURCE: {text!r}: {error}") from error
    if found is None:
        raise ConfigurationError(f"SIGNALBOX_MARKET_SOURCE: {text!r} is not {SOURCE_FORMS}")
    return found


def _source(kind: str, rest: str, stored_key: StoredKey) -> Source | None:
    if kind == "sample" and not rest:
        return SampleSource()
    if kind == "file" and rest:
        return FileSource(Path(rest))
    if kind == "recorded" and rest.count(":") == 2:  # noqa: PLR2004 - three parts
        folder, anchor, symbols = rest.split(":")
        return RecordedSource(
            Path(folder),
            tuple(symbols.split(",")),
            datetime.fromisoformat(anchor).replace(tzinfo=UTC),
        )
    return _vendor(kind, rest, stored_key)


def _vendor(kind: str, rest: str, stored_key: StoredKey) -> Source | None:
    if kind == "ccxt" and rest.count(":") >= 1:
        # ccxt takes seconds to import, and every command reads these settings.
        from assets.market_data.exchange import ExchangeSource, public_client  # noqa: PLC0415

        exchange, _, markets = rest.partition(":")
        return ExchangeSource(public_client(exchange), _markets(markets))
    if kind == "alpaca" and rest.count(":") == 1:
        named, symbols = rest.split(":")
        key: Path | Callable[[], str] = Path(named)
        if named.startswith(STORED):
            key = partial(stored_key, uuid.UUID(named.removeprefix(STORED)), f"bars of {symbols}")
        return AlpacaSource(key, tuple(symbols.split(",")))
    if kind == "yfinance" and rest:
        return YahooSource(tuple(rest.split(",")))
    return None


def _markets(text: str) -> dict[str, str]:
    """Symbols to markets.

    >>> _markets("BTC/USD,XBT=BTC/EUR")
    {'BTCUSD': 'BTC/USD', 'XBT': 'BTC/EUR'}
    """
    named = [one.rpartition("=") for one in text.split(",")]
    return {
        symbol or market.partition(":")[0].replace("/", ""): market for symbol, _, market in named
    }
