"""What a restored installation lacks, and what to do next."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from sqlalchemy import URL

from assets.forecasts.version import due_slots
from assets.transparency.fsck import Report, fsck
from assets.transparency.signer.errors import RefusedError
from assets.transparency.signer.folder import SignerFolder
from pipelines.operator.backup.manifest import Manifest
from sandbox.registry.image import ImageStore
from sql.due import CATCH_UP
from sql.roles import WORKER, conninfo, role_url

NEWEST = """
select (select coalesce(max(index) + 1, 0) from transparency.leaf),
       (select max(appended_at) from transparency.leaf),
       (select coalesce(max(size), 0) from transparency.checkpoint)
"""


@dataclass(frozen=True)
class Restored:
    """What was found after the recovery.

    Attributes:
        log_size: leaves in the log.
        last_leaf_at: when the newest was appended, UTC; None: there is none.
        signed_size: leaves that the newest checkpoint in the database covers.
        owed: due slots that the schedule will run late.
        fsck: everything held against everything else.
    """

    log_size: int
    last_leaf_at: datetime | None
    signed_size: int
    owed: int
    fsck: Report


def look(admin: URL, home: Path, now: datetime) -> Restored:
    """Look at a recovered database as the run workers' role."""
    password = (home / "secrets" / WORKER).read_text()
    url = role_url(admin, WORKER, password)
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        row = connection.execute(NEWEST).fetchone()
        assert row is not None  # noqa: S101 - one row
        owed = sum(len(versions) for versions in due_slots(connection, now).values())
        report = fsck(connection, now, images=ImageStore(home / "images"))
    leaves, last_leaf_at, signed = row
    return Restored(leaves, last_leaf_at, signed, owed, report)


def signer_says(folder: Path | None, restored: Restored) -> str:
    """What the signer will say to this log, and what to do about it."""
    if folder is None:
        return (
            "signer    its keys are there, its state is not, and is in no backup: it refuses"
            " (no_state). If the old signer/ folder survived, put it in place; else fetch the"
            " newest checkpoint that anybody has and call signalbox signer recover"
        )
    try:
        signed = SignerFolder(folder).state().size
    except RefusedError as error:
        return f"signer    {error}"
    if restored.log_size >= signed:
        return f"signer    signed {signed} leaves; this log has them all: it goes on"
    return (
        f"signer    signed {signed} leaves, and this log has {restored.log_size}: it refuses"
        f" (shrunk) until the {signed - restored.log_size} that lack are back. Restore again"
        " without --to, into another folder: the archived write-ahead log holds them. If nothing"
        " does, see docs/operations/log.md"
    )


def lines(restored: Restored, base: Manifest, signer: str) -> list[str]:
    """The whole report."""
    last, hours = restored.last_leaf_at, CATCH_UP.total_seconds() / 3600
    until = f", the last of {last:%Y-%m-%d %H:%M:%S} UTC" if last else ""
    owed = (
        f"slots     {restored.owed} of the last {hours:.0f} hours have no outcome: they are run"
        " late; older ones stay missed"
    )
    access = (
        "access    tokens, sessions and API keys are as they were at that instant: what was"
        " revoked since works again; revoke it anew"
    )
    upcoming = (
        "next      signalbox up --home DIR, then signalbox backup at once: the old archive does"
        " not lead on from here"
    )
    return [
        f"database  backup {base.name}, Postgres {base.postgres}, schema {base.schema} or newer",
        f"log       {restored.log_size} leaves{until}; {restored.signed_size} in a checkpoint",
        f"fsck      {restored.fsck.faults} faults",
        *(f"          {one}" for one in restored.fsck.shown),
        owed,
        access,
        signer,
        upcoming,
    ]
