"""The proxy as a process of its own before the real daemon, and callers of both sockets."""

import io
import json
import os
import secrets
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

NETWORK = "bridge"


@dataclass(frozen=True)
class Proxy:
    """Its sockets, the folder of zygotes, what run workers are made of, and its process."""

    folder: Path
    policy: dict
    process: subprocess.Popen

    @property
    def sandboxes(self) -> Path:
        return self.folder / "sandboxes.sock"

    @property
    def launch(self) -> Path:
        return self.folder / "launch.sock"

    @property
    def zygotes(self) -> Path:
        return self.folder / "zygotes"

    def log(self) -> str:
        return (self.folder / "log").read_text()


def lacking(what: str) -> None:
    if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
        pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {what}")
    pytest.skip(what)


@pytest.fixture(scope="session")
def direct() -> Iterator[docker.APIClient]:
    """A client of the daemon itself, to look at what came of it."""
    try:
        made = docker.APIClient(version="auto")
    except docker.errors.DockerException as error:
        lacking(f"no Docker: {error}")
    yield made
    made.close()


@pytest.fixture(scope="session")
def platform(direct) -> Iterator[str]:
    """An image in the platform's place: of one file, never run."""
    tag = f"signalbox-proxy-test:{secrets.token_hex(4)}"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("nothing"))
    direct.import_image_from_data(archive.getvalue(), *tag.split(":"))
    yield tag
    direct.remove_image(tag, force=True)


@pytest.fixture(scope="session")
def proxy(platform) -> Iterator[Proxy]:
    # Short, as the path of a socket must be, and where the daemon finds it.
    with tempfile.TemporaryDirectory(prefix="proxy-", dir="/var/tmp") as made:
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "zygotes").mkdir()
        policy = {
            "image": platform,
            "network": NETWORK,
            "environment": {"DAGSTER_HOME": "/srv/dagster"},
            "binds": [f"{folder}/zygotes:{folder}/zygotes"],
            "memory_mb": 512,
        }
        (folder / "policy.json").write_text(json.dumps(policy))
        started = Proxy(folder, policy, _started(folder))
        yield started
        started.process.terminate()
        assert started.process.wait(20) == 0
        assert "Traceback" not in started.log(), started.log()


def _started(folder: Path) -> subprocess.Popen:
    ours = {
        "SIGNALBOX_SANDBOX_SOCKET": str(folder / "sandboxes.sock"),
        "SIGNALBOX_LAUNCH_SOCKET": str(folder / "launch.sock"),
        "SIGNALBOX_LAUNCH_POLICY": str(folder / "policy.json"),
        "SIGNALBOX_ZYGOTE_FOLDER": str(folder / "zygotes"),
        "SIGNALBOX_SANDBOX_UIDS": str(os.getuid()),
        "SIGNALBOX_LAUNCH_UIDS": str(os.getuid()),
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.docker_proxy"], env=os.environ | ours, stderr=log
        )
    deadline = time.monotonic() + 30
    while f"listening at {folder}/launch.sock" not in (folder / "log").read_text():
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


@pytest.fixture
def sandboxes(proxy) -> Iterator[docker.APIClient]:
    """A run worker's client."""
    made = docker.APIClient(f"unix://{proxy.sandboxes}", version="auto")
    yield made
    made.close()


@pytest.fixture
def launcher(proxy) -> Iterator[docker.APIClient]:
    """Dagster's client."""
    made = docker.APIClient(f"unix://{proxy.launch}", version="auto")
    yield made
    made.close()


@pytest.fixture(scope="session")
def asked() -> Callable[..., tuple[int, str]]:
    """`asked(path, bytes)`: what a socket answers to bytes: status and message."""

    def ask(path: Path, sent: bytes) -> tuple[int, str]:
        with socket.socket(socket.AF_UNIX) as calling:
            calling.settimeout(30)
            calling.connect(str(path))
            calling.sendall(sent)
            told = b""
            while piece := calling.recv(65536):
                told += piece
        head, _, body = told.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    return ask
