"""From a judged tag to a version: the part of the hook that needs the builder's libraries.

It is loaded when a push's turn has come: a waiting one takes a tenth of the memory.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from sandbox.git.settings import GitSettings, signer_of
from sandbox.registry.image import ImageStore
from sandbox.registry.integrity import to_database
from sandbox.registry.publish import Terms, build, go_live
from sandbox.registry.reservation import Reservation, Submission, held
from sandbox.runner.engine import available_engine
from sql.clock import Clock
from sql.roles import conninfo

Say = Callable[[str], None]


def build_version(
    settings: GitSettings,
    connection: psycopg.Connection[Any],
    submission: Submission,
    reservation: Reservation,
    now: Clock,
    say: Say,
) -> None:
    """Build what was reserved, cold: publication is judged by the reference path."""
    engine = available_engine(settings.sandbox_engine, runtime=settings.sandbox_runtime)
    store = ImageStore(Path(settings.image_store), to_database(lambda: _connect(settings), now))
    terms = Terms(signer_of(settings), settings.scan_required)
    build(connection, store, engine, submission, reservation, now(), say, terms)


def publish_version(
    settings: GitSettings,
    connection: psycopg.Connection[Any],
    submission: Submission,
    now: Clock,
    say: Say,
) -> None:
    """Make the built version live, and say where it can be seen."""
    published = go_live(connection, submission, held(connection, submission), now())
    url = f"{settings.api_url}/v1/signals/{submission.provider}/{submission.name}"
    say(f"live        {submission.label}")
    say(f"image       {published.image_digest}")
    say(f"leaf        {published.leaf_index}")
    say(f"see         {url}/versions/{submission.version}")


def _connect(settings: GitSettings) -> psycopg.Connection[Any]:
    return psycopg.connect(conninfo(settings.database_url), autocommit=True)
