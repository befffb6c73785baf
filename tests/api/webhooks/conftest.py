"""One house, whose webhooks may go to this machine; endpoints, and hooks."""

from dataclasses import dataclass

import httpx
import pytest

from tests.api.conftest import Person
from tests.api.house import House, housing
from tests.api.webhooks.receiver import receiving
from tests.waiting import until


@dataclass(frozen=True)
class Hook:
    """A webhook of somebody's."""

    house: House
    person: Person
    id: str
    secret: str

    def call(self, method: str, path: str = "", **body):
        return httpx.request(
            method, f"{self.house.url}/v1/webhooks/{self.id}{path}", json=body or None,
            headers=self.person.headers,
        )  # fmt: skip

    def deliveries(self) -> list:
        return self.call("GET", "/deliveries").json()["items"]

    def until(self, holds):
        """The first newest delivery of which it is true."""

        def newest():
            return [one for one in self.deliveries()[:1] if holds(one)]

        return until(newest, 10, self.deliveries)[0]

    def hurry(self):
        """As if the waits were over."""
        execute = self.house.make.connection.execute
        execute(
            "update account.webhook_delivery set next_attempt_at = now()"
            " where webhook_id = %s and state = 'pending'",
            [self.id],
        )
        execute("update account.webhook set not_before = now() where id = %s", [self.id])

    def letters(self) -> list:
        return self.house.make.connection.execute(
            "select subject, text from account.mail where user_id = %s", [self.person.id]
        ).fetchall()


@pytest.fixture(scope="session")
def house(postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    with housing(
        postgres, folder, "test_house_of_webhooks", SIGNALBOX_WEBHOOK_TARGETS="private"
    ) as house:
        yield house


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def hook(house):
    def make(person, receiver, *events, url=None):
        body = {"url": url or receiver.url, "events": events or ["forecast", "missed"]}
        made = httpx.post(f"{house.url}/v1/webhooks", json=body, headers=person.headers)
        assert made.status_code == 201, made.text
        return Hook(house, person, made.json()["id"], made.json()["secret"])

    return make
