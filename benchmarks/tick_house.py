"""An installation with many live versions, made as quickly as its own functions allow."""

import os
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from assets.market_data.sample import SampleSource
from assets.market_data.store import ingest
from benchmarks.tick_models import PROVIDERS, Model, make_models
from pipelines.operator.home import Home
from sandbox.registry.image import ImageStore
from sandbox.registry.publish import go_live
from sandbox.registry.reservation import Submission, reserve
from sql import embedded
from sql.migrate import migrate
from sql.roles import DATABASE, GIT, WORKER, conninfo, create_roles

PAST = timedelta(hours=800)


@dataclass(frozen=True)
class House:
    """Where a benchmark's run workers find everything."""

    home: Home
    server: embedded.EmbeddedPostgres
    environment: dict[str, str]

    @property
    def images(self) -> ImageStore:
        return ImageStore(self.home.images)

    def connect(self, role: str) -> psycopg.Connection[tuple[object, ...]]:
        url = self.home.url(self.server.admin, role)
        return psycopg.connect(conninfo(url), autocommit=True)

    def publish(self, count: int, slot: datetime) -> None:
        """So many versions, live an hour before the slot, and the bars that they read."""
        published_at = slot - timedelta(hours=1)
        source = SampleSource()
        symbols = [declared.symbol for declared in source.instruments()]
        with self.connect(WORKER) as connection:
            ingest(
                connection, source, symbols, slot - PAST, slot, slot, is_history=True
            )  # fmt: skip
        ids = {provider: uuid.uuid4() for provider in PROVIDERS}
        with psycopg.connect(
            conninfo(self.server.admin.set(database=DATABASE)), autocommit=True
        ) as connection:
            for provider, id_ in ids.items():
                connection.execute(
                    "insert into account.user_account values (%s, %s, %s, 'x', 'member', %s)",
                    [id_, provider, f"{provider}@example.org", published_at],
                )
        with self.connect(GIT) as connection:
            for model in make_models(count, self.images, slot):
                publish_model(connection, model, ids[model.provider], published_at)


@contextmanager
def open_house(root: Path, engine: str, path: str) -> Iterator[House]:
    """A migrated database and an image store in `root`, which others may walk to."""
    home = Home(
        root,
        settings={
            "SIGNALBOX_SANDBOX_ENGINE": engine,
            "SIGNALBOX_SANDBOX_PATH": path,
            "SIGNALBOX_LIVE_DEADLINE_MINUTES": "60",
            "SIGNALBOX_MARKET_SOURCE": "sample",
        },
    )
    home.prepare()
    server = embedded.start(root)
    try:
        create_roles(server.admin, home.passwords())
        migrate(home.owner_url(server.admin))
        environment = {**os.environ, **home.environment(server.admin, WORKER)}
        yield House(home, server, environment)
    finally:
        server.stop()


def publish_model(
    connection: psycopg.Connection[tuple[object, ...]],
    model: Model,
    provider_id: uuid.UUID,
    now: datetime,
) -> None:
    """As a push does, without the build and its smoke forecast."""
    submission = Submission(
        provider_id=provider_id,
        provider=model.provider,
        name=model.name,
        version="v1.0.0",
        commit=secrets.token_hex(20),
        repository=Path("/nowhere"),
    )
    held = reserve(connection, submission, now)
    connection.execute(
        "update registry.version set tree_digest = %s, manifest = %s, lock = %s, lock_digest = %s,"
        " sbom = '{}', base_digest = %s, dependencies_digest = %s, source_digest = %s,"
        " image_digest = %s where id = %s",
        [
            model.tree, Jsonb(msgspec.to_builtins(model.manifest)), model.lock.text,
            model.lock.digest, model.image.base, model.image.dependencies, model.image.source,
            model.image.digest, held.version_id,
        ],
    )  # fmt: skip
    go_live(connection, submission, held, now)
