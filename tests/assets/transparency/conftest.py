"""Two signals, and leaves in their chains; and a whole installation that ran for some hours."""

import shutil
import tempfile
import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from assets.forecasts.slot import run_slot
from assets.transparency.fsck import fsck
from assets.transparency.publisher.publish import publish
from assets.transparency.reproduce_sample import reproduce_sample
from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.signer import Signer
from sandbox.runner.engine import available_engine
from signalbox.log.policy import Policy, own_word_policy
from sql.log import NewLeaf, append_leaves
from sql.roles import LOG, WORKER
from tests.assets.transparency.processes import SIGNER, Running
from tests.conftest import Database, copied, opened
from tests.waiting import until

SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
IN_TIME = SLOT + timedelta(minutes=3)
DIGEST = "sha256:" + "a" * 64
HOUR = timedelta(hours=1)
DEADLINE = timedelta(minutes=10)
HONEST = """
from signalbox import Forecast
def forecast(window):
    close = window.bars("BTCUSDT")["close"]
    return [Forecast("BTCUSDT", 1, float(close[-1] / close[0] - 1) + float(window.random.normal()))]
"""
FLAKY = """
from signalbox import Forecast
def forecast(window):
    if window.as_of.hour == 9:
        raise ValueError("never at nine")
    return [Forecast("BTCUSDT", 1, 0.001)]
"""


@dataclass
class Chains:
    """Appends due leaves as the run worker does; hour 0 is 2026-11-20 08:00 UTC."""

    database: object
    tide: int
    ebb: int
    hours: int = 0
    SLOT: ClassVar[datetime] = SLOT
    IN_TIME: ClassVar[datetime] = IN_TIME

    @staticmethod
    def due(signal_id, hour, name="tide", version="v1.0.0"):
        slot = int((SLOT + timedelta(hours=hour)).timestamp())
        facts = {"sig": f"ada/{name}", "ver": version, "slot": slot, "vl": 0, "img": DIGEST}
        return NewLeaf("forecast/v1", signal_id, {**facts, "inp": DIGEST, "c": "00" * 32})

    def publish(self):
        """The leaf of ada/tide v1.0.0, which is the log's first."""
        digests = dict.fromkeys(("tree", "lock", "img", "base", "sbom"), DIGEST)
        facts = {"sig": "ada/tide", "ver": "v1.0.0", "commit": "c" * 40, **digests}
        with self.database.connect(WORKER) as connection, connection.transaction():
            append_leaves(connection, [NewLeaf("version/v1", self.tide, facts)], SLOT)

    def append(self, count, now=IN_TIME):
        """So many leaves of ada/tide, going on where the last call ended; their indices."""
        hours = range(self.hours, self.hours + count)
        self.hours += count
        with self.database.connect(WORKER) as connection, connection.transaction():
            leaves = [self.due(self.tide, hour) for hour in hours]
            return append_leaves(connection, leaves, now)


@pytest.fixture
def chains(database):
    with database.superuser() as connection:
        ada = uuid.uuid4()
        connection.execute(
            "insert into account.user_account values (%s, 'ada', 'a@example.org', 'x', 'member',"
            " now())",
            [ada],
        )
        ids = [
            connection.execute(
                "insert into registry.signal (provider_id, name, title, description, visibility,"
                " created_at) values (%s, %s, 'T', '', 'public', now()) returning id",
                [ada, name],
            ).fetchone()[0]
            for name in ("tide", "ebb")
        ]
    return Chains(database, *ids)


@pytest.fixture(scope="session")
def whole(postgres, image_store):
    """Two models, slots answered and missed, a night's sample, tiles and signed checkpoints.

    The name of its database, the folder of its signer, and the policy to believe it by.
    """
    folder = Path(tempfile.mkdtemp(prefix="signalbox-fsck-", dir="/var/tmp"))
    choice = {"choice": "embedded", "path": "forked"}
    with (
        copied(postgres, "test_fsck_whole", "signalbox") as database,
        closing(available_engine(**choice)) as engine,
        opened(database, image_store, engine, choice, folder) as house,
    ):
        versions = [house.publish("honest", HONEST), house.publish("flaky", FLAKY)]
        (folder / "signer").mkdir()
        signing = SignerFolder(folder / "signer")
        signing.prepare("example.org/log")
        signer = Signer(signing, lambda: house.now[0])
        for at in range(4):
            house.now[0] = SLOT + at * HOUR + timedelta(minutes=3)
            for _ in run_slot(house.installation, engine, versions, SLOT + at * HOUR):
                pass
            with database.connect(LOG) as connection:
                publish(connection, signer, None, house.now[0])
        reproduce_sample(house.installation, date(2026, 11, 21), count=3)
        with database.connect(LOG) as connection:
            publish(connection, signer, None, house.now[0])
        policy = own_word_policy(signer.state().keys)
        yield database.name, folder / "signer", policy
    shutil.rmtree(folder)


@dataclass(frozen=True)
class Installed:
    """A copy of `whole` for one test.

    Attributes:
        database: the copy.
        signer: folder of the key that signed it.
        policy: that key, and its own word.
        now: the instant up to which it was run.
    """

    database: Database
    signer: SignerFolder
    policy: Policy
    now: datetime

    def look(self, at=None, **more):
        """Fsck, as the worker."""
        with self.database.connect(WORKER) as connection:
            return fsck(connection, at or self.now, live_deadline=DEADLINE, **more)

    def sign(self, at):
        """Have publisher and signer go on; what was signed."""
        with self.database.connect(LOG) as connection:
            return publish(connection, Signer(self.signer, lambda: at), None, at, again=True)


@pytest.fixture
def installed(postgres, whole, request, tmp_path):
    template, folder, policy = whole
    shutil.copytree(folder, tmp_path / "signer")
    with copied(postgres, f"test_{abs(hash(request.node.nodeid)):x}", template) as database:
        signer = SignerFolder(tmp_path / "signer")
        yield Installed(database, signer, policy, SLOT + 3 * HOUR + timedelta(minutes=5))


@pytest.fixture
def running(database, tmp_path):
    """Processes of one log, ended with the test; the signer answers."""
    made = Running(database, tmp_path)
    made.start(SIGNER)
    until(made.signer)
    yield made
    for module in list(made.processes):
        made.end(module)


def tamper(database, *statements):
    """As the operator: a superuser who switches triggers and references off."""
    with database.superuser() as connection, connection.transaction():
        connection.execute("set local session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)
