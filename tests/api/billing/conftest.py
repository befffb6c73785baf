"""The API behind a port, a payment provider behind another, and one clock for both."""

import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import msgspec
import psycopg
import pytest
import uvicorn

from api.app import create_app
from sql.clock import DemoClock
from tests.fakes.stripe import Card
from tests.fakes.stripe_server import KEY, WEBHOOK_SECRET, StripeServer, deliver, stripe_server


@dataclass
class World:
    """What a story needs: people act over HTTP, and time passes when it says so."""

    api: httpx.Client
    stripe: StripeServer
    clock: DemoClock
    database: psycopg.Connection
    delivered: set[str] = field(default_factory=set)

    @property
    def now(self) -> datetime:
        return self.clock()

    def pass_time(self, **length: float) -> None:
        """For everybody; what Stripe says meanwhile waits to be delivered."""
        self.clock.advance_to(self.now + timedelta(**length))
        self.stripe.stripe.advance(int(self.now.timestamp()))

    def waiting(self) -> list[dict]:
        """Events that were not delivered yet."""
        events = self.stripe.stripe.events
        return [event for event in events if event["id"] not in self.delivered]

    def send(self, event: dict) -> httpx.Response:
        self.delivered.add(event["id"])
        return deliver(str(self.api.base_url), event)

    def send_all(self) -> None:
        for event in self.waiting():
            assert self.send(event).status_code == 200

    def subscribe(self, person, published, provider="manual") -> dict:
        body = {"signal": published.signal, "payment_provider": provider}
        answer = self.api.post("/v1/subscriptions", json=body, headers=person.headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def act(self, person, subscription, verb) -> httpx.Response:
        url = f"/v1/subscriptions/{subscription['id']}/{verb}"
        return self.api.post(url, headers=person.headers)

    def mine(self, person) -> dict:
        """A person's newest subscription, as they see it."""
        return self.api.get("/v1/subscriptions", headers=person.headers).json()["items"][0]

    def state(self, person) -> str:
        return self.mine(person)["state"]

    def reads(self, person, published) -> bool:
        answer = self.api.get(f"{published.path}/forecasts", headers=person.headers)
        assert answer.status_code == 200 or answer.json()["code"] == "subscription_required"
        return answer.status_code == 200

    def press(self, subscription, **form) -> httpx.Response:
        """A button of the test payment's page."""
        return self.api.post(self.path(subscription), data=form)

    def path(self, subscription) -> str:
        return "/checkout/" + subscription["checkout_url"].partition("/checkout/")[2]

    def pay(self, subscription, card: Card) -> dict | None:
        """By Stripe's checkout, to which our link leads."""
        answer = self.api.get(self.path(subscription))
        assert answer.status_code == 303
        return self.stripe.stripe.pay(answer.headers["location"], card)

    def told(self, person) -> list[str]:
        rows = self.database.execute(
            "select kind from billing.outbox where user_id = %s order by id", [person.id]
        )
        return [kind for (kind,) in rows]

    def moves(self, subscription) -> list[tuple[str, str, str]]:
        rows = self.database.execute(
            "select from_state, to_state, why from billing.subscription_event"
            " where subscription_id = %s and from_state is not null order by id",
            [uuid.UUID(subscription["id"])],
        )
        return rows.fetchall()

    def balance(self, account: str) -> int:
        """Debits less credits, in minor units."""
        row = self.database.execute(
            "select coalesce(sum(amount_minor), 0)::bigint from ledger.line where account = %s",
            [account],
        ).fetchone()
        return row[0]


@pytest.fixture
def stripe() -> Iterator[StripeServer]:
    with stripe_server(int(time.time())) as server:
        yield server


@pytest.fixture
def stripe_settings(settings, stripe, tmp_path):
    (tmp_path / "stripe-key").write_text(KEY)
    (tmp_path / "stripe-webhook").write_bytes(WEBHOOK_SECRET)
    return msgspec.structs.replace(
        settings,
        demo_clock=str(tmp_path / "clock"),
        stripe_url=stripe.url,
        stripe_key_file=str(tmp_path / "stripe-key"),
        stripe_webhook_secret_file=str(tmp_path / "stripe-webhook"),
    )


@pytest.fixture
def world(stripe_settings, stripe, make, tmp_path) -> Iterator[World]:
    server = uvicorn.Server(
        uvicorn.Config(create_app(stripe_settings), port=0, log_level="warning", lifespan="on")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield World(client, stripe, DemoClock(tmp_path / "clock"), make.connection)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def flood(make, ada):
    """ada/flood: without a trial."""
    published = make.signal(ada, "flood", trial_days=0)
    make.slot(published)
    return published


@pytest.fixture
def visa() -> Card:
    return Card("fp_visa")
