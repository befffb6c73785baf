"""Machines of this test's own: network namespaces on a bridge, and what they share by TCP.

The first address of the bridge is the machine with Postgres and Redis; each host is a
network namespace, a copy of the image store, and whatever processes were started in it.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from sqlalchemy import URL

from sql import embedded
from sql.roles import conninfo
from tests.chaos.test_kills import descendants, kill

NET = "10.213.77"
HUB = f"{NET}.1"
POSTGRES_PORT = 54329
REDIS_PORT = 63799
PATIENCE_SECONDS = 240.0


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def bridge() -> Iterator[str]:
    name = f"sb{os.getpid()}"
    run("ip", "link", "add", name, "type", "bridge")
    try:
        run("ip", "address", "add", f"{HUB}/24", "dev", name)
        run("ip", "link", "set", name, "up")
        yield name
    finally:
        run("ip", "link", "delete", name)


@contextmanager
def tcp_postgres(root: Path) -> Iterator[URL]:
    """A cluster of its own that answers on the hub's address, to passwords only."""
    server = embedded.start(root)
    data, program = root / "postgres", server.server
    with psycopg.connect(conninfo(server.admin), autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
    hba = data / "pg_hba.conf"
    hba.write_text(hba.read_text() + f"host all all {NET}.0/24 scram-sha-256\n")
    server.stop()
    pg_ctl = [str(program.bin_path / "pg_ctl"), "-w", "-D", str(data)]
    sockets = f"-h {HUB} -p {POSTGRES_PORT} -k {data}"
    subprocess.run(
        [*pg_ctl, "-o", sockets, "-l", str(data / "log"), "start"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=program.system_user,
    )  # fmt: skip
    try:
        yield server.admin.set(host=HUB, port=POSTGRES_PORT, query={})
    finally:
        subprocess.run(
            [*pg_ctl, "-m", "immediate", "stop"],
            check=True, capture_output=True, user=program.system_user,
        )  # fmt: skip


class Redis:
    """Debian's, in memory alone: killed, it has forgotten everything."""

    def __init__(self, folder: Path) -> None:
        self.password = folder / "redis.password"
        embedded.write_secret(self.password, secrets.token_urlsafe(24))
        self._configuration = folder / "redis.conf"
        embedded.write_secret(
            self._configuration,
            f"bind {HUB}\nport {REDIS_PORT}\nrequirepass {self.password.read_text()}\n"
            f'save ""\nappendonly no\ndir {folder}\n',
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["redis-server", str(self._configuration)], stdout=subprocess.DEVNULL
        )

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@dataclass
class Host:
    """One machine: what runs on it dies with it, and its cable can be pulled."""

    name: str
    folder: Path
    environment: dict[str, str]
    cable: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_worker(self) -> None:
        # Not by `ip netns exec`, which hides the cgroups: it mounts /sys anew.
        with (self.folder / "log").open("ab") as log:
            self.workers.append(
                subprocess.Popen(
                    ["nsenter", f"--net=/run/netns/{self.name}",
                     sys.executable, "-m", "pipelines.tick_workers"],
                    env=self.environment, stdout=log, stderr=log, start_new_session=True,
                )
            )  # fmt: skip

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def pids(self) -> set[int]:
        """Sandboxes too, which have left the host's network for one of their own."""
        there = {int(pid) for pid in run("ip", "netns", "pids", self.name).split()}
        return there | {child for pid in there for child in descendants(pid)}

    def is_at_work(self) -> bool:
        """A zygote runs, or a model: more than the worker and what it has forked."""
        return len(self.pids()) > 3

    def die(self) -> None:
        """All at once: nobody has time to say farewell."""
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        for pid in pids | self.pids():
            kill(pid)
        for worker in self.workers:
            worker.wait()
        self.workers.clear()

    def pull_cable(self) -> None:
        run("ip", "link", "set", self.cable, "down")

    def plug_in(self) -> None:
        run("ip", "link", "set", self.cable, "up")


@contextmanager
def host(bridge: str, number: int, folder: Path, images: Path, environment: dict) -> Iterator[Host]:
    name, cable = f"{bridge}h{number}", f"{bridge}v{number}"
    folder.mkdir()
    folder.chmod(0o755)
    shutil.copytree(images, folder / "images", symlinks=True)
    ours = {**environment, "SIGNALBOX_IMAGE_STORE": str(folder / "images")}
    machine = Host(name, folder, ours, cable)
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", cable, "master", bridge, "up")
        run("ip", "-n", name, "address", "add", f"{NET}.{number + 1}/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        yield machine
    finally:
        machine.die()
        run("ip", "netns", "delete", name)
