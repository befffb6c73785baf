"""An API over a real database, and factories per noun."""

import gc
import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from argon2 import PasswordHasher
from litestar import Litestar
from litestar.testing import TestClient

from api.app import create_app
from api.auth import access_tokens
from api.settings import ApiSettings
from sql.clock import floor_hour
from sql.log import append_leaf
from sql.roles import API

SECRET = b"0123456789abcdef0123456789abcdef"
PASSWORD = "correct horse battery"
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
NOW = datetime.now(UTC)
SLOT = floor_hour(NOW)

Headers = dict[str, str]


@dataclass(frozen=True)
class Person:
    id: uuid.UUID
    handle: str
    headers: Headers

    @property
    def email(self) -> str:
        return f"{self.handle}@example.org"


@dataclass(frozen=True)
class Published:
    """A signal with one live version."""

    id: int
    version_id: int
    provider: Person
    name: str

    @property
    def path(self) -> str:
        return f"/v1/signals/{self.provider.handle}/{self.name}"

    @property
    def signal(self) -> str:
        return f"{self.provider.handle}/{self.name}"


class Factory:
    """Rows as the rest of the platform writes them; written as the superuser."""

    def __init__(self, connection: psycopg.Connection, cover: Callable[[datetime], object]) -> None:
        self.connection = connection
        self.cover = cover
        self.numbers = itertools.count(1)

    def _id(self, query: str, *values: object) -> int:
        row = self.connection.execute(query, values).fetchone()
        assert row is not None
        return row[0]

    def person(self, handle: str, role: str = "member") -> Person:
        """Somebody whose address is confirmed, signed in."""
        person_id = uuid.uuid4()
        self.connection.execute(
            "insert into account.user_account values (%s, %s, %s, %s, %s, now(), now())",
            [person_id, handle, f"{handle}@example.org", PASSWORD_HASH, role],
        )
        return Person(person_id, handle, self.session(person_id))

    def session(self, person_id: uuid.UUID, *, has_totp: bool = False) -> Headers:
        """A login of a person: what a request of theirs carries."""
        session_id, now = uuid.uuid4(), datetime.now(UTC)
        self.connection.execute(
            "insert into account.session (id, user_id, created_at, last_used_at, expires_at,"
            " user_agent, network, has_totp) values (%s, %s, %s, %s, %s, 'factory', '', %s)",
            [session_id, person_id, now, now, now + timedelta(days=30), has_totp],
        )
        token = access_tokens.issue(SECRET, person_id, now, session_id=session_id)
        return {"Authorization": f"Bearer {token}"}

    def instrument(self, symbol: str = "EURUSD", *, is_sample: bool = True) -> int:
        self.connection.execute(
            "insert into market.instrument (symbol, calendar, is_sample) values (%s, 'FX', %s)"
            " on conflict do nothing",
            [symbol, is_sample],
        )
        return self._id("select id from market.instrument where symbol = %s", symbol)

    def signal(
        self,
        provider: Person,
        name: str = "tide",
        *,
        visibility: str = "public",
        trial_days: int = 14,
    ) -> Published:
        self.instrument()
        signal_id = self._id(
            "insert into registry.signal (provider_id, name, title, description, visibility,"
            " created_at) values (%s, %s, 'Tide', 'Ebb and flow', %s, %s) returning id",
            *(provider.id, name, visibility, NOW - timedelta(days=2)),
        )
        version_id = self.version(signal_id, provider, "v1.0.0")
        self.connection.execute(
            "insert into billing.price (signal_id, amount_minor, currency, trial_days, valid_from)"
            " values (%s, 2900, 'EUR', %s, %s)",
            [signal_id, trial_days, NOW - timedelta(days=2)],
        )
        return Published(signal_id, version_id, provider, name)

    def version(self, signal_id: int, provider: Person, version: str, state: str = "live") -> int:
        manifest = {
            "signal": {"name": "tide", "title": "Tide"},
            "forecast": {"symbols": ["EURUSD"], "horizons_hours": [1, 4], "target": "return"},
        }
        return self._id(
            "insert into registry.version (signal_id, version, state, reserved_at, published_at,"
            " pushed_by, commit_sha, tree_digest, lock_digest, image_digest, manifest)"
            " values (%s, %s, %s, %s, %s, %s, 'c', 't', 'l', 'i', %s) returning id",
            *(signal_id, version, state, NOW - timedelta(days=2), NOW - timedelta(days=2)),
            *(provider.id, json.dumps(manifest)),
        )

    def slot(
        self,
        published: Published,
        slot: datetime = SLOT,
        provenance: str = "live",
        horizons: tuple[int, ...] = (1, 4),
        proven_at: datetime | None = None,
        opening: bool = True,
    ) -> int:
        """A recorded slot; a due one has opening and leaf, covered three minutes after the slot."""
        reason = "timeout: ran into 20 s" if provenance == "missed" else None
        leaf = self.leaf(published, slot, provenance)
        record_id = self._id(
            "insert into forecast.slot_record (version_id, slot, provenance, reason, cutoff,"
            " max_batch, input_digest, image_digest, engine, path, recorded_at, wall_ms, log,"
            " leaf_index) values (%s, %s, %s, %s, %s, 1, 'in', 'i', 'embedded', 'cold', %s, 7.5,"
            " 'hello', %s) returning id",
            *(published.version_id, slot, provenance, reason, slot, slot + timedelta(minutes=3)),
            leaf,
        )
        if leaf is not None:
            self.cover(proven_at or slot + timedelta(minutes=3))
        if leaf is not None and opening and provenance != "missed":
            self.connection.execute(
                "insert into forecast.opening values (%s, %s, %s)", [record_id, b"s" * 32, b"[]"]
            )
        for horizon in () if provenance == "missed" else horizons:
            self.connection.execute(
                "insert into forecast.forecast values (%s, %s, %s, %s, 0.001, %s, 0.6)",
                [
                    *(record_id, self.instrument(), horizon, slot + timedelta(hours=horizon)),
                    json.dumps([[0.1, -0.01], [0.9, 0.02]]),
                ],
            )
        return record_id

    def leaf(self, published: Published, slot: datetime, provenance: str) -> int | None:
        """The leaf of a due slot; None for a replay."""
        if provenance not in ("live", "late", "missed"):
            return None
        (version,) = self.connection.execute(
            "select version from registry.version where id = %s", [published.version_id]
        ).fetchone()
        with self.connection.transaction():
            return append_leaf(
                self.connection,
                kind="missed/v1" if provenance == "missed" else "forecast/v1",
                signal_id=published.id,
                facts={"sig": published.signal, "ver": version, "slot": int(slot.timestamp())},
                now=slot,
            )

    def score(
        self, record_id: int, horizon: int, error: float, *, hit: bool | None, batch: int = 1
    ) -> None:
        self.connection.execute(
            "insert into score.score values (%s, %s, %s, %s, %s, 0.0, %s, %s, %s, %s)",
            [record_id, self.instrument(), horizon, batch, NOW, error, abs(error), error**2, hit],
        )

    def subscription(
        self,
        person: Person,
        published: Published,
        state: str = "active",
        *,
        ends: datetime = NOW + timedelta(days=10),
    ) -> uuid.UUID:
        subscription_id = uuid.uuid4()
        self.connection.execute(
            "insert into billing.subscription (id, user_id, signal_id, price_id, state,"
            " payment_provider, created_at, period_start, period_end, had_trial,"
            " cancel_at_period_end) select %s, %s, p.signal_id, p.id, %s, 'manual', %s, %s, %s,"
            " false, false from billing.price p where p.signal_id = %s",
            [subscription_id, person.id, state, NOW, NOW - timedelta(days=20), ends, published.id],
        )
        return subscription_id

    def bar(self, ts_open: datetime, close: float, *, batch: int, known: datetime) -> None:
        self.connection.execute(
            "insert into market.ingest_batch values (%s, 'file', %s, %s, false, 'd', '{}')"
            " on conflict do nothing",
            [batch, NOW, NOW],
        )
        self.connection.execute(
            "insert into market.bar (instrument_id, ts_open, ts_close, available_at, batch_id,"
            " open, high, low, close) values (%s, %s, %s, %s, %s, 1.1, 1.5, 1.0, %s)",
            [self.instrument(), ts_open, ts_open + timedelta(hours=1), known, batch, close],
        )


@pytest.fixture(scope="session", autouse=True)
def imported_for_good() -> None:
    """Modules are no garbage: collections while an app is built need not look through them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.fixture
def settings(database, tmp_path) -> ApiSettings:
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    return ApiSettings(
        database_url=database.url(API).render_as_string(hide_password=False),
        secret_key_file=str(secret),
        environment="test",
    )


@pytest.fixture
def app(settings) -> Litestar:
    return create_app(settings)


@pytest.fixture
def client(app) -> Iterator[TestClient[Litestar]]:
    with TestClient(app) as client:
        yield client


@pytest.fixture
def make(database, cover) -> Iterator[Factory]:
    with database.superuser() as connection:
        yield Factory(connection, cover)


@pytest.fixture
def ada(make) -> Person:
    """A provider."""
    return make.person("ada")


@pytest.fixture
def bob(make) -> Person:
    """A subscriber, or just somebody else."""
    return make.person("bob")


@pytest.fixture
def tide(make, ada) -> Published:
    """ada/tide: public, live, with a trial, and one live slot of two forecasts."""
    published = make.signal(ada)
    make.slot(published)
    return published
