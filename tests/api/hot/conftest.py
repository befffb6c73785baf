"""One API, clock and log for the tests of hot reads; each has a signal of its own."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from litestar.testing import TestClient

from api.app import create_app
from api.settings import ApiSettings
from assets.transparency.publisher.publish import publish
from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.signer import Signer
from sql.clock import DemoClock
from sql.roles import API, DATABASE, LOG
from tests.api.conftest import SECRET, Factory
from tests.conftest import copied


@pytest.fixture(scope="module")
def database(postgres):
    """One for the module: each test has a signal of its own."""
    with copied(postgres, "test_hot", DATABASE) as copy:
        yield copy


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hot")


@pytest.fixture(scope="module")
def clock(folder):
    return DemoClock(folder / "clock")


@pytest.fixture(scope="module")
def app(database, folder):
    (folder / "secret").write_bytes(SECRET)
    url = database.url(API).render_as_string(hide_password=False)
    return create_app(
        ApiSettings(
            database_url=url,
            secret_key_file=str(folder / "secret"),
            environment="test",
            demo_clock=str(folder / "clock"),
        )
    )


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app) as client:
        wait_until_heard(app)
        yield client


@pytest.fixture(scope="module")
def make(database, folder):
    with database.superuser() as connection:
        signer = SignerFolder(folder / "signer")
        (folder / "signer").mkdir()
        signer.prepare("example.org/log")

        def cover(now):
            with database.connect(LOG) as log:
                return publish(log, Signer(signer, lambda: now), None, now)

        yield Factory(connection, cover)


@pytest.fixture(scope="module")
def ada(make):
    return make.person("ada")


@pytest.fixture
def name(request):
    return f"s{abs(hash(request.node.name)) % 10**8}"


@pytest.fixture
def tide(make, ada, name):
    published = make.signal(ada, name)
    make.slot(published)
    return published


@pytest.fixture
def bob(make, tide):
    """A subscriber of that signal."""
    person = make.person(f"bob-{tide.name}")
    make.subscription(person, tide)
    return person


@pytest.fixture
def key(client, bob):
    body = {"name": "machine", "scopes": ["read"]}
    made = client.post("/v1/api-keys", json=body, headers=bob.headers).json()
    return {"Authorization": f"Bearer {made['key']}"}


@pytest.fixture
def fronted(app, monkeypatch):
    """Whether each request was answered by the front; a test before may have cut its hearing."""
    wait_until_heard(app)
    seen = []
    front = app.front.answers

    async def watched(scope, send):
        seen.append(await front(scope, send))
        return seen[-1]

    monkeypatch.setattr(app.front, "answers", watched)
    return seen


def wait_until_heard(app):
    """Until the database's notices are heard: without them the front answers nothing."""
    until = time.monotonic() + 30
    while not app.state.installation.listener.is_up:
        assert time.monotonic() < until, "the listener does not come up"
        time.sleep(0.01)


@contextmanager
def readers(client, path, headers, count=32):
    """So many who read for as long as this lasts; yields what they were answered."""
    seen, is_over = set(), threading.Event()

    def read():
        while not is_over.is_set():
            answer = client.get(path, headers=headers)
            seen.add((answer.status_code, answer.text))

    with ThreadPoolExecutor(count) as threads:
        reading = [threads.submit(read) for _ in range(count)]
        try:
            yield seen
        finally:
            is_over.set()
        for one in reading:
            one.result()
