"""People, a signal on offer, and subscriptions whose payments are posted."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from sql.roles import API, DATABASE, WORKER
from tests.conftest import Database, copied

JANUARY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
MONTH = timedelta(days=31)


@dataclass(frozen=True)
class Books:
    """Rows are made as the superuser; money moves as the worker, through functions."""

    superuser: psycopg.Connection
    worker: psycopg.Connection

    def person(self, handle: str, role: str = "member") -> uuid.UUID:
        id_ = uuid.uuid4()
        self.superuser.execute(
            "insert into account.user_account (id, handle, email, password_hash, role, created_at)"
            " values (%s, %s, %s, 'x', %s, %s)",
            [id_, handle, f"{handle}@example.org", role, JANUARY],
        )
        return id_

    def signal(
        self,
        provider: uuid.UUID,
        name: str = "tide",
        *,
        price: int = 2900,
        currency: str = "EUR",
        trial_days: int = 0,
    ) -> int:
        (signal_id,) = self.superuser.execute(
            "insert into registry.signal (provider_id, name, title, description, visibility,"
            " created_at) values (%s, %s, 'Tide', '', 'public', %s) returning id",
            [provider, name, JANUARY],
        ).fetchone()
        self.superuser.execute(
            "insert into billing.price (signal_id, amount_minor, currency, trial_days, valid_from)"
            " values (%s, %s, %s, %s, %s)",
            [signal_id, price, currency, trial_days, JANUARY],
        )
        return signal_id

    def subscription(
        self,
        user: uuid.UUID,
        signal_id: int,
        *,
        created_at: datetime = JANUARY,
        had_trial: bool = False,
    ) -> uuid.UUID:
        id_ = uuid.uuid4()
        self.superuser.execute(
            "insert into billing.subscription (id, user_id, signal_id, price_id, state,"
            " payment_provider, created_at, period_start, period_end, had_trial,"
            " cancel_at_period_end) select %s, %s, p.signal_id, p.id, 'active', 'manual', %s, %s,"
            " %s, %s, false from billing.price p where p.signal_id = %s",
            [id_, user, created_at, created_at, created_at + MONTH, had_trial, signal_id],
        )
        return id_

    def pay(
        self,
        subscription: uuid.UUID,
        reference: str = "pay-1",
        *,
        amount: int = 2900,
        fee: int = 0,
        at: datetime = JANUARY,
        known: datetime | None = None,
        currency: str = "EUR",
        by: psycopg.Connection | None = None,
    ) -> str:
        """Pay the month that begins at `at`; the invoice's number."""
        (number,) = (
            (by or self.worker)
            .execute(
                "select ledger.invoice_paid(%s, %s, %s, %s, %s, %s, %s, 'manual', %s, %s)",
                [subscription, reference, at, at + MONTH, amount, currency, fee, at, known or at],
            )
            .fetchone()
        )
        return number

    def call(self, function: str, *values: object) -> object:
        """What a function of the ledger answers the worker."""
        places = ", ".join(["%s"] * len(values))
        return self.worker.execute(f"select ledger.{function}({places})", values).fetchone()[0]

    def rows(self, query: str, *values: object) -> list[tuple]:
        return self.superuser.execute(query, values).fetchall()

    def balance(self, account: str, party: uuid.UUID | None = None) -> int:
        """Debits less credits."""
        return self.rows(
            "select coalesce(sum(amount_minor), 0)::bigint from ledger.line"
            " where account = %s and party is not distinct from %s",
            *(account, party),
        )[0][0]

    def settle(self, provider: uuid.UUID, month: str, at: datetime) -> list[tuple]:
        """Amount, balance and why it was carried, of a month such as 2026-01."""
        return self.worker.execute(
            "select amount_minor, balance_minor, carried from ledger.payout(%s, %s, %s, %s)",
            [provider, f"{month}-01", at, at],
        ).fetchall()


# Facts are there for ever; only past every trigger can a test's leftovers be removed.
CLEAN = """
set session_replication_role = replica;
delete from ledger.entry; delete from ledger.line; delete from ledger.seal;
delete from ledger.invoice; delete from ledger.invoice_line; delete from ledger.invoice_counter;
delete from ledger.reversal; delete from ledger.payout; delete from ledger.card;
delete from ledger.metric_day; delete from ledger.rate where valid_from > '2000-01-01 00:00Z';
delete from forecast.slot_record; delete from billing.subscription; delete from billing.price;
delete from registry.version; delete from registry.signal; delete from audit.event;
delete from account.user_account
"""


@pytest.fixture(scope="module")
def shared_database(postgres, request) -> Iterator[Database]:
    with copied(postgres, f"test_{abs(hash(request.node.nodeid)):x}", DATABASE) as copy:
        yield copy


@pytest.fixture
def database(shared_database) -> Iterator[Database]:
    """One for all tests of a file, clean for each: making one takes longer than most of them."""
    yield shared_database
    with shared_database.superuser() as connection:
        connection.execute(CLEAN)


@pytest.fixture
def books(database) -> Iterator[Books]:
    with database.superuser() as superuser, database.connect(WORKER) as worker:
        yield Books(superuser, worker)


@pytest.fixture
def as_api(database) -> Iterator[psycopg.Connection]:
    with database.connect(API) as connection:
        yield connection


@pytest.fixture
def ada(books) -> uuid.UUID:
    """A provider."""
    return books.person("ada")


@pytest.fixture
def bob(books) -> uuid.UUID:
    """A subscriber."""
    return books.person("bob")


@pytest.fixture
def tide(books, ada) -> int:
    """ada/tide, 29.00 EUR a month."""
    return books.signal(ada)


@pytest.fixture
def subscription(books, bob, tide) -> uuid.UUID:
    """Of bob to ada/tide, not posted yet."""
    return books.subscription(bob, tide)
