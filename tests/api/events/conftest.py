"""One server over one database for a module: each test has people and signals of its own."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from api.settings import ApiSettings
from sql.roles import API, DATABASE
from tests.api.conftest import SECRET, SLOT, Factory, Person, Published
from tests.api.server import serving
from tests.conftest import Database, copied


@dataclass
class House:
    """A server, and rows as the platform writes them.

    Attributes:
        settings: of the server, to start another beside it.
    """

    url: str
    settings: ApiSettings
    database: Database
    make: Factory
    numbers: Iterator[int]

    def person(self, role: str = "member") -> Person:
        return self.make.person(f"person-{next(self.numbers)}", role)

    def signal(self, *subscribers: Person) -> Published:
        """Somebody's signal, with subscribers."""
        published = self.make.signal(self.person(), f"tide-{next(self.numbers)}")
        for person in subscribers:
            self.make.subscription(person, published)
        return published

    def key(self, person: Person, *scopes: str) -> tuple[str, dict]:
        """Id and header of an API key."""
        body = {"name": "k", "scopes": scopes or ["read"]}
        made = httpx.post(f"{self.url}/v1/api-keys", json=body, headers=person.headers).json()
        return made["id"], {"Authorization": f"Bearer {made['key']}"}

    def slots(self, published: Published, count: int, *, since: int = 0) -> list[str]:
        """Live slots, an hour apart, the newest of them last; their as_of."""
        made = [SLOT - timedelta(hours=200 - n) for n in range(since, since + count)]
        for slot in made:
            self.make.slot(published, slot)
        return [f"{slot:%Y-%m-%dT%H:%M:%SZ}" for slot in made]


@pytest.fixture(scope="module")
def house(postgres, tmp_path_factory, request) -> Iterator[House]:
    secret = tmp_path_factory.mktemp("house") / "secret"
    secret.write_bytes(SECRET)
    name = f"test_house_{abs(hash(request.node.nodeid)):x}"
    with copied(postgres, name, DATABASE) as database, database.superuser() as connection:
        settings = ApiSettings(
            database_url=database.url(API).render_as_string(hide_password=False),
            secret_key_file=str(secret),
            environment="test",
        )
        with serving(settings, SIGNALBOX_STREAMS_PER_PERSON="60") as url:
            make = Factory(connection, lambda _: None)
            yield House(url, settings, database, make, itertools.count(1))
