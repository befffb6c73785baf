"""A signal of sixty due hours, measured; copies of it; and the API over one."""

import shutil

import pytest
from litestar.testing import TestClient

from api.app import create_app
from api.settings import ApiSettings
from assets.market_data import ingest
from assets.transparency.signer.folder import SignerFolder
from sql.roles import API, DATABASE, WORKER
from tests.api.performance.recorded_hours import (
    BACKFILLED,
    LATE,
    MISSED,
    SLOTS,
    THEN,
    WALK,
    Recorder,
)
from tests.api.performance.stored import update
from tests.conftest import copied


@pytest.fixture(scope="session")
def recorded(postgres, tmp_path_factory):
    """One signal with sixty due hours and forty before its publication; measured."""
    with copied(postgres, "test_performance", DATABASE) as database:
        folder = tmp_path_factory.mktemp("signer")
        SignerFolder(folder).prepare("example.org/log")
        recorder = Recorder(database, folder)
        with database.connect(WORKER) as worker:
            ingest(
                worker, WALK, ["BTCUSDT"], WALK.start, THEN, THEN, is_history=True
            )  # fmt: skip
        signal_id = recorder.signal()
        recorder.version(signal_id, "v0.9.0", "rejected")
        version_id = recorder.version(signal_id, "v1.0.0")
        for n in BACKFILLED:
            recorder.slot(signal_id, version_id, n, "backfilled")
        for n in range(SLOTS):
            provenance = "missed" if n in MISSED else "live"
            recorder.slot(signal_id, version_id, n, provenance, proven=25 if n in LATE else 3)
        recorder.close()
        update(database)
        yield database, signal_id, version_id, folder


@pytest.fixture
def world(postgres, recorded, request, tmp_path):
    """A copy of it, and a recorder that goes on where it ended."""
    database, signal_id, version_id, folder = recorded
    name = f"test_{abs(hash(request.node.nodeid)):x}"
    with copied(postgres, name, database.name) as copy:
        recorder = Recorder(copy, shutil.copytree(folder, tmp_path / "signer"))
        yield copy, signal_id, version_id, recorder
        recorder.close()


@pytest.fixture(scope="session")
def ask(postgres, recorded, tmp_path_factory):
    """GET of the API over a copy of it."""
    secret = tmp_path_factory.mktemp("api") / "secret"
    secret.write_bytes(b"0123456789abcdef0123456789abcdef")
    with copied(postgres, "test_performance_api", recorded[0].name) as copy:
        url = copy.url(API).render_as_string(hide_password=False)
        settings = ApiSettings(database_url=url, secret_key_file=str(secret), environment="test")
        with TestClient(create_app(settings)) as client:

            def get(path, **parameters):
                answer = client.get(path, params=parameters)
                assert answer.status_code == 200, answer.text
                return answer.json()

            yield get
