"""The restore drill: a real installation, backed up, restored to an instant and to the end."""

import contextlib
import dataclasses
import re
import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from assets.forecasts.slot import run_slot
from assets.forecasts.version import published_versions
from assets.transparency.fsck import fsck
from assets.transparency.signer.client import SocketSigner
from assets.transparency.signer.errors import RefusedError
from pipelines.operator.backup.commands import backup, restore
from pipelines.operator.home import Home
from pipelines.operator.house import open_house, programs
from sandbox.registry.image import ImageStore
from sandbox.runner.engine import available_engine
from signalbox.log.checkpoint import Checkpoint
from sql.roles import DATABASE, WORKER, conninfo
from tests.conftest import SLOT, Database, _place, opened

ENGINE = {"choice": "embedded", "path": "cold"}
HOUR = timedelta(hours=1)
PATIENCE_SECONDS = 30.0
SETTINGS = {"SIGNALBOX_ENVIRONMENT": "test"}
MODEL = """
from signalbox import Forecast
def forecast(window):
    return [Forecast("BTCUSDT", 1, float(window.random.normal()))]
"""
LEAVES = "select * from transparency.leaf order by index"


@pytest.fixture
def place(image_store, monkeypatch):
    image_store.base()
    monkeypatch.setenv("SIGNALBOX_WAL_ARCHIVE", "on")
    root = Path(tempfile.mkdtemp(prefix="signalbox-drill-", dir="/var/tmp"))
    root.chmod(0o755)
    main = root / "main"
    main.mkdir()
    subprocess.run(["cp", "-al", image_store.root, main / "images"], check=True)
    # Platform time stands near the slots of these tests, whatever the world's is.
    ahead = SLOT + 4 * HOUR - datetime.now(UTC)
    (main / "clock").write_text(str(int(ahead.total_seconds())))
    yield root
    shutil.rmtree(root)


@pytest.fixture
def copies():
    """Where backups go and are restored to: many small files, nothing of which is run."""
    root = Path(tempfile.mkdtemp(prefix="signalbox-drill-", dir=_place()))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


@contextlib.contextmanager
def running(home: Home):
    """The installation's Postgres, signer and publisher."""
    with open_house(home, lambda _: None) as house:
        serving, _ = programs(home, house.admin)
        house.supervisor.start([one for one in serving if one.name in ("signer", "log")])
        yield Database(DATABASE, house.admin, home.passwords())


def covered(database: Database) -> int:
    """Wait until a checkpoint covers every leaf; returns how many there are."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with database.connect(WORKER) as connection:
            leaves, signed, *_ = connection.execute(
                "select * from transparency.coverage"
            ).fetchone()
        if leaves == signed:
            return leaves
        time.sleep(0.1)
    raise AssertionError("the log was not covered")


def called(command, *arguments) -> str:
    done = CliRunner().invoke(command, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def leaves_of(database: Database) -> list[tuple]:
    with database.superuser() as connection:
        return connection.execute(LEAVES).fetchall()


@pytest.mark.timeout(300)
def test_a_log_restored_to_yesterday_is_not_signed_and_one_rolled_forward_loses_nothing(
    place, copies
):
    home = Home(place / "main", settings=SETTINGS)
    kept = ("--into", copies / "backups", "--wal", home.root / "wal")
    with contextlib.closing(available_engine(**ENGINE)) as engine:
        with (
            running(home) as database,
            opened(database, ImageStore(home.images), engine, ENGINE, place) as house,
        ):
            versions = [house.publish("tide", MODEL)]

            def tick(number: int) -> int:
                house.now[0] = SLOT + number * HOUR + timedelta(minutes=1)
                list(run_slot(house.installation, engine, versions, SLOT + number * HOUR))
                return covered(database)

            tick(0)
            said = called(backup, "--home", home.root, *kept, "--secrets-to", place / "apart")
            assert re.search(r"\d+ MB, \d+ files, 2 leaves, Postgres", said)
            then = tick(1)
            between = whole_second(database)
            everything = tick(3)
            before = leaves_of(database)
            installation = house.installation
        assert (then, everything) == (3, 4)

        yesterday = Home(copies / "yesterday", settings=SETTINGS)
        asked = ("--from", copies / "backups", *kept[2:], "--secrets-from", place / "apart")
        asked = (*asked, "--signer", home.signer)
        said = called(restore, *asked, "--home", yesterday.root, "--to", f"{between:%FT%T}")
        assert "signed 4 leaves, and this log has 3: it refuses (shrunk)" in said
        assert "3 leaves, the last of 2026-11-20 09:01:00 UTC" in said
        assert "fsck      0 faults" in said
        assert "slots     3 of the last 48 hours have no outcome" in said
        refused_to_sign(yesterday, home)

        today = Home(copies / "today", settings=SETTINGS)
        said = called(restore, *asked, "--home", today.root)
        # Until it starts in its own place: what was copied names the archive of the lost one.
        settings = (today.root / "postgres" / "postgresql.auto.conf").read_text()
        assert settings.rindex("archive_mode = 'off'") > settings.index("archive_command")
        assert "signed 4 leaves; this log has them all: it goes on" in said
        hand_over(home, today)
        with running(today) as database:
            assert leaves_of(database) == before
            restored = dataclasses.replace(
                installation,
                connect=lambda: psycopg.connect(conninfo(database.url(WORKER)), autocommit=True),
                clock=lambda: SLOT + 4 * HOUR + timedelta(minutes=1),
            )
            with restored.connect() as connection:
                versions = published_versions(connection)
            for number in (2, 4):
                list(run_slot(restored, engine, versions, SLOT + number * HOUR))
            assert covered(database) == 6  # the signer went on
            with restored.connect() as connection:
                report = fsck(connection, restored.clock(), images=ImageStore(today.images))
            assert (report.shown, report.owed) == ((), 0)


def whole_second(database: Database) -> datetime:
    """An instant to restore to: a full second that is over by the server's clock."""
    with database.superuser() as connection:
        (now,) = connection.execute("select clock_timestamp()").fetchone()
    instant = now.replace(microsecond=0) + timedelta(seconds=1)
    time.sleep((instant - now).total_seconds() + 0.1)
    return instant.astimezone(UTC)


def hand_over(home: Home, restored: Home) -> None:
    """Move the signer's folder that survived into the restored installation."""
    shutil.rmtree(restored.signer)
    subprocess.run(["cp", "-a", home.signer, restored.signer], check=True)
    (restored.signer / "socket").unlink(missing_ok=True)


def refused_to_sign(restored: Home, home: Home) -> None:
    """The publisher says why nothing is published, and the signer refuses whoever asks."""
    hand_over(home, restored)
    with running(restored):
        signer = SocketSigner(restored.signer_socket)
        shorter = Checkpoint(signer.state().origin, 3, bytes(32))
        with pytest.raises(RefusedError, match="was signed, and this is a log of 3") as refusal:
            signer.sign(shorter.text, 3, [])
        assert refusal.value.code == "shrunk"
        assert "bring them back" in refusal.value.why
        deadline = time.monotonic() + PATIENCE_SECONDS
        said = ""
        while "were signed" not in said and time.monotonic() < deadline:
            said = (restored.logs / "log.log").read_text()
            time.sleep(0.1)
    assert "the log has 3 leaves, but 4 were signed" in said
    assert "See docs/operations/log.md" in said
