"""A real installation to soak: the operator's own house, people, and many live versions."""

import contextlib
import secrets
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from assets.installation import Installation
from assets.market_data.sample import SampleSource
from assets.market_data.store import ingest
from pipelines.operator.demo import HISTORY, with_demo_settings
from pipelines.operator.demo_check import free_ports
from pipelines.operator.demo_people import Client, Person, push_example
from pipelines.operator.home import CHECKOUT, Home, Ports
from pipelines.operator.house import House, open_house
from pipelines.resources import installation_of
from sandbox.registry.publish import go_live
from sandbox.registry.reservation import Submission, reserve
from sandbox.registry.tree import read_tree
from signalbox import parse_manifest
from sql.clock import DemoClock, floor_hour
from sql.roles import GIT, conninfo
from tests.soak.models import PROVIDERS, Source, sources

Say = Callable[[str], None]
PUSHED = ("momentum-quantiles", "seasonal-naive", "ridge-lags")  # the first has a trial
HOUR = timedelta(hours=1)
FACTS = """
select s.name, v.lock, v.lock_digest, v.sbom, v.base_digest, v.dependencies_digest
from registry.version v join registry.signal s on s.id = v.signal_id where v.state = 'live'
"""


@dataclass
class Soaked:
    """An installation in use, and what its clients and those who strike it need."""

    house: House
    installation: Installation
    clock: DemoClock
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def home(self) -> Home:
        return self.house.home

    @property
    def root(self) -> Path:
        return self.home.root

    def connect(self) -> psycopg.Connection:
        return self.installation.connect()

    def next_hour(self) -> datetime:
        """Move the clock of all processes to the next full hour."""
        slot = floor_hour(self.clock()) + HOUR
        self.clock.advance_to(slot)
        return slot

    def push(self, name: str, tag: str) -> None:
        """Push an example by git, each version with a line of its own.

        Raises:
            RuntimeError: it was refused; carries its last words.
            subprocess.CalledProcessError: git could not fetch what was pushed before.
        """
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / name
            shutil.copytree(CHECKOUT / "examples" / name, folder)
            with (folder / "app.py").open("a") as app:
                app.write(f"\n# {tag}\n")
            told: list[str] = []
            try:
                push_example(
                    folder, self.home.git_url, self.people["ada"], told.append,
                    tag=tag, goes_on=tag != "v1.0.0",
                )  # fmt: skip
            except RuntimeError as error:
                raise RuntimeError(f"{error}: {' / '.join(told[-5:])}") from error

    def populate(self, versions: int) -> None:
        """So many live versions of several providers: the first pushed by git.

        The rest are reserved, given images of their own and made live by the registry's own
        functions, without transport, lock and trial.
        """
        for handle in (*PROVIDERS, "sam"):
            self.people[handle] = Client.register(
                self.home.api_url, handle, secrets.token_urlsafe(12)
            )
        pushed = PUSHED[: max(1, min(len(PUSHED), versions // 4))]
        for name in pushed:
            self.push(name, "v1.0.0")
            Client(self.home.api_url, self.people["ada"]).publish(f"ada/{name}")
        sam = Client.logged_in(self.home.api_url, self.people["sam"])
        sam.subscribe(f"ada/{pushed[0]}")
        self._register(versions - len(pushed), pushed)

    def _register(self, count: int, kinds: Sequence[str]) -> None:
        """As the gate does, but for lock and trial: those of what was pushed of the same kind."""
        git = conninfo(self.home.url(self.house.admin, GIT))
        with self.connect() as reading, psycopg.connect(git, autocommit=True) as connection:
            ids = dict(reading.execute("select handle, id from account.user_account"))
            facts = {name: facts for name, *facts in reading.execute(FACTS)}
            for source in sources(count, kinds):
                self._publish(connection, source, ids[source.provider], facts[source.kind])

    def _publish(
        self, connection: psycopg.Connection, source: Source, provider_id: uuid.UUID,
        facts: Sequence[object],
    ) -> None:  # fmt: skip
        repository = self.root / "sources" / source.name
        submission = Submission(
            provider_id=provider_id, provider=source.provider, name=source.name,
            version="v1.0.0", commit=source.commit(repository), repository=repository,
        )  # fmt: skip
        tree = read_tree(submission.repository, submission.commit)
        held = reserve(connection, submission, self.clock())
        lock, lock_digest, sbom, base, dependencies = facts
        image = self.installation.images.add(
            base=str(base), dependencies=str(dependencies), files=tree.files
        )
        manifest = msgspec.to_builtins(parse_manifest(tree.text("signal.toml")))
        connection.execute(
            "update registry.version set tree_digest = %s, manifest = %s, lock = %s,"
            " lock_digest = %s, sbom = %s, base_digest = %s, dependencies_digest = %s,"
            " source_digest = %s, image_digest = %s where id = %s",
            [tree.digest, Jsonb(manifest), lock, lock_digest, sbom, base, dependencies,
             image.source, image.digest, held.version_id],
        )  # fmt: skip
        go_live(connection, submission, held, self.clock())


@contextlib.contextmanager
def soaked(engine: str, hours: int, say: Say) -> Iterator[Soaked]:
    """A temporary installation on free ports, all its processes up; gone afterwards.

    Args:
        engine: of the sandboxes.
        hours: behind the world's that its clock begins. Dagster's grid ends soon after the
            world's present.
        say: is told how it goes.
    """
    root = Path(tempfile.mkdtemp(prefix="signalbox-soak-", dir="/var/tmp"))
    root.chmod(0o755)
    settings = {"SIGNALBOX_SANDBOX_ENGINE": engine, "SIGNALBOX_SANDBOX_PATH": "forked"}
    home = with_demo_settings(Home(root, Ports(free_ports()), settings))
    home.clock.write_text(str(-3600 * hours))
    try:
        with open_house(home, say) as house:
            yield _opened(house, say)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _opened(house: House, say: Say) -> Soaked:
    installation = installation_of(house.worker_settings())
    installation.images.base()
    source, now = SampleSource(), installation.clock()
    with installation.connect() as connection:
        ingest(
            connection, source, [one.symbol for one in source.instruments()],
            floor_hour(now) - HISTORY, floor_hour(now), now, is_history=True,
            feed_delay=installation.feed_delay,
        )  # fmt: skip
    house.start_all()
    say(f"an installation in {house.home.root}, {house.home.api_url}")
    return Soaked(house, installation, DemoClock(house.home.clock))
