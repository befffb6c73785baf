"""One server over one database, for a module: each test has people and signals of its own."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

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

    def slot(self, *args, **kwargs) -> int:
        """Record and leaf in one transaction, as the platform writes them."""
        with self.make.connection.transaction():
            return self.make.slot(*args, **kwargs)

    def slots(self, published: Published, count: int, *, since: int = 0) -> list[str]:
        """Live slots, an hour apart, the newest of them last; their as_of."""
        made = [SLOT - timedelta(hours=200 - n) for n in range(since, since + count)]
        for slot in made:
            self.slot(published, slot)
        return [f"{slot:%Y-%m-%dT%H:%M:%SZ}" for slot in made]


@contextmanager
def housing(postgres, folder: Path, name: str, **more: str) -> Iterator[House]:
    """A house whose database is called `name`; `more` are settings of its server."""
    secret = folder / "secret"
    secret.write_bytes(SECRET)
    with copied(postgres, name, DATABASE) as database, database.superuser() as connection:
        settings = ApiSettings(
            database_url=database.url(API).render_as_string(hide_password=False),
            secret_key_file=str(secret),
            environment="test",
        )
        with serving(settings, **more) as url:
            make = Factory(connection, lambda _: None)
            yield House(url, settings, database, make, itertools.count(1))
