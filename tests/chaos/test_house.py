"""Random kills in a whole house: publisher, signer, Postgres, run workers and all they start.

The house is the operator's own: embedded Postgres, signer and publisher under the supervisor.
Run workers tick slot after slot, at times two at once, at times by a clock that is two hours off.
`SIGNALBOX_CHAOS_KILLS=50` is the long run, `SIGNALBOX_CHAOS_SEED` repeats one.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from assets.forecasts.version import due_slots
from assets.transparency.fsck import fsck
from pipelines.operator.home import Home
from pipelines.operator.house import open_house, programs
from sandbox.runner.engine import available_engine
from signalbox.log.policy import parse_policy
from sql import embedded
from sql.roles import DATABASE, WORKER, conninfo
from tests.chaos.run_worker import Work, tick
from tests.chaos.test_kills import APP, SEED, WORKERS, descendants, kill, swept
from tests.conftest import Database, opened

KILLS = int(os.environ.get("SIGNALBOX_CHAOS_KILLS", "12"))
SLOT = datetime(2026, 11, 20, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENGINE = {"choice": "embedded", "path": "forked"}
PATIENCE_SECONDS = 60.0
MODELS = {
    "quick": "",
    "naps": "    import time; time.sleep(0.3)\n",
    "raises": "    if window.as_of.month == 11: raise ValueError('only in November')\n",
}


class Town:
    """A house whose processes are killed, and whoever starts them again."""

    def __init__(self, home, admin, supervisor, images):
        self.home, self.supervisor, self.images = home, supervisor, images
        self.database = Database(DATABASE, admin, home.passwords())
        self.killed = Counter()
        self.workers = []

    def tick(self, slot, off=timedelta(0)):
        url = conninfo(self.database.url(WORKER))
        work = Work(url, self.images.root, ENGINE, slot, off)
        self.workers.append(WORKERS.Process(target=tick, args=(work, dict(os.environ))))
        self.workers[-1].start()

    def is_ticking(self):
        self.workers = [one for one in self.workers if one.is_alive()]
        return bool(self.workers)

    def strike(self, dice):
        """Kill one of what runs, and start again what nobody else would."""
        kind = dice.choice(["worker", "sandbox", "sandbox", "signer", "log", "postgres"])
        if kind in ("signer", "log"):
            program = next(one for one in self.supervisor.programs if one.name == kind)
            struck = program.process is not None and kill(program.process.pid)
            program.restarts = 0
        elif kind == "postgres":
            struck = kill(self.postmaster())
            self.restart_postgres()
        else:
            pids = self.sandboxes() if kind == "sandbox" else [one.pid for one in self.workers]
            struck = bool(pids) and kill(dice.choice(pids))
        self.killed[kind] += struck
        self.supervisor.watch()

    def sandboxes(self):
        """Whatever the workers started; waits until they have come so far."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.is_ticking() and time.monotonic() < deadline:
            if found := [pid for one in self.workers for pid in descendants(one.pid)]:
                return found
            time.sleep(0.02)
        return []

    def postmaster(self):
        return int((self.home.root / "postgres" / "postmaster.pid").read_text().split()[0])

    def restart_postgres(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            # The package asserts where a killed server's children still hold its memory.
            with contextlib.suppress(
                AssertionError, RuntimeError, psycopg.OperationalError, OSError
            ):
                embedded.start(self.home.root).server.ensure_postgres_running()
                with self.database.superuser():
                    return
            time.sleep(0.2)
        raise AssertionError("Postgres did not come up again")

    def owed(self, slot):
        with self.database.connect(WORKER) as connection:
            return due_slots(connection, slot + timedelta(minutes=1)).get(slot, [])

    def finish(self, slot):
        """Without kills: every slot up to this one has its outcome, and a checkpoint covers it."""
        for worker in self.workers:
            worker.join(PATIENCE_SECONDS)
        at = SLOT
        while at <= slot:
            if self.owed(at):
                self.tick(at)
                self.workers[-1].join(PATIENCE_SECONDS)
                assert self.workers[-1].exitcode == 0
            at += HOUR
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self.supervisor.watch()
            with self.database.connect(WORKER) as connection:
                leaves, _, proven, *_ = connection.execute(
                    "select * from transparency.coverage"
                ).fetchone()
            if leaves == proven:
                return
            time.sleep(0.2)
        raise AssertionError("the log was not covered again")

    def assert_whole(self, slot):
        with self.database.connect(WORKER) as connection:
            counts = connection.execute(
                "select count(*), count(distinct (version_id, slot)), count(distinct leaf_index)"
                " from forecast.slot_record where provenance in ('live', 'late', 'missed')"
            ).fetchone()
            (policy,) = connection.execute(
                "select policy from transparency.quorum order by checkpoint_id desc limit 1"
            ).fetchone()
            report = fsck(
                connection, slot + timedelta(minutes=5), images=self.images,
                policy=parse_policy(policy), live_deadline=timedelta(minutes=10),
            )  # fmt: skip
        assert report.shown == ()
        assert (report.faults, report.owed) == (0, 0)
        assert counts == (len(MODELS) * (int((slot - SLOT) / HOUR) + 1),) * 3


@pytest.fixture
def town(image_store):
    root = Path(tempfile.mkdtemp(prefix="signalbox-chaos-", dir="/var/tmp"))
    root.chmod(0o755)
    home = Home(root, settings={"SIGNALBOX_ENVIRONMENT": "test"})
    with open_house(home, lambda _: None) as house:
        serving, _ = programs(home, house.admin)
        house.supervisor.start([one for one in serving if one.name in ("signer", "log")])
        town = Town(home, house.admin, house.supervisor, image_store)
        with (
            contextlib.closing(available_engine(**ENGINE)) as engine,
            opened(town.database, image_store, engine, ENGINE, root) as published,
        ):
            for name, body in MODELS.items():
                published.publish(name, APP.format(body=body))
        yield town
        for worker in town.workers:
            worker.kill()
            worker.join()
    shutil.rmtree(root)


@pytest.mark.timeout(900)
def test_killing_anything_at_random_under_a_running_schedule_leaves_one_leaf_a_slot_and_a_whole_log(
    town, record_property
):
    record_property("SIGNALBOX_CHAOS_SEED", SEED)
    dice = random.Random(SEED)  # noqa: S311 - which process to kill is no secret
    slot = SLOT
    with swept("embedded"):
        while town.killed.total() < KILLS:
            if not town.is_ticking():
                if not town.owed(slot):
                    slot += HOUR
                # Two daemons at once; a machine whose clock is off.
                for _ in range(1 + (dice.random() < 0.3)):
                    jump = dice.choice([0, 0, 0, 2, -2])
                    town.tick(slot, timedelta(hours=jump))
            time.sleep(dice.uniform(0.1, 1.2))
            town.strike(dice)
        town.finish(slot)
    record_property("killed", str(dict(town.killed)))
    town.assert_whole(slot)


@pytest.mark.timeout(300)
def test_postgres_restarted_at_once_in_the_middle_of_a_tick_leaves_one_record_a_due_slot(town):
    with swept("embedded"):
        for slot in (SLOT, SLOT + HOUR):
            town.tick(slot)
            assert town.sandboxes()
            # An immediate shutdown: no connection is waited for, nothing is written out.
            os.kill(town.postmaster(), signal.SIGQUIT)
            town.restart_postgres()
            town.finish(slot)
    town.assert_whole(SLOT + HOUR)


@pytest.mark.timeout(300)
def test_a_disk_that_is_full_in_the_middle_of_a_tick_stores_nothing_by_halves(town):
    if os.geteuid() != 0:
        pytest.skip("a small disk of this test's own needs root to mount it")
    small = town.home.root / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=777", "none", small], check=True)
    try:
        _fill_and_run(town, small)
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


def _fill_and_run(town, small):
    owner = (town.home.root / "postgres").stat()
    os.chown(small, owner.st_uid, owner.st_gid)
    small.chmod(0o700)
    with town.database.superuser() as connection:
        connection.execute(f"create tablespace small location '{small}'")
        connection.execute("alter table forecast.opening set tablespace small")
    filler = small / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with swept("embedded"):
        town.tick(SLOT)
        town.workers[-1].join(PATIENCE_SECONDS)
        assert town.workers[-1].exitcode == 1
        with town.database.superuser() as connection:
            stored = connection.execute(
                "select (select count(*) from forecast.opening),"
                " (select count(*) from transparency.leaf where kind = 'forecast/v1')"
            ).fetchone()
        assert stored == (0, 0)
        filler.unlink()
        town.finish(SLOT)
    town.assert_whole(SLOT)
    with town.database.superuser() as connection:
        connection.execute("alter table forecast.opening set tablespace pg_default")
        connection.execute("drop tablespace small")
