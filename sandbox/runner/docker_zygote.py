"""A zygote in a container, which calls back on a socket of ours.

Theory of operation: a container's descriptors are the daemon's, so the zygote
connects once to a socket in a private directory, which the container sees
read-only at /tmp (connecting writes nothing) and every child covers with its own.

A child must mount a /proc of its own namespace, and the kernel allows that only
where nothing of the present one is hidden: the zygote's /proc is unmasked. That
gives a model nothing, because its own is masked again before it begins, and to the
zygote no more than user 65534 may do without any capability: read the host's load,
kernel and boot options. Mounts also need AppArmor out of the way where a host has
it; the zygote's filter and namespaces stay.
"""

import contextlib
import os
import shutil
import socket
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from docker.errors import NotFound

from sandbox.runner import seccomp
from sandbox.runner.channel import Intake
from sandbox.runner.docker_client import NAME, our_faults, remove
from sandbox.runner.docker_sandbox import Demultiplexer
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.image import COMMAND, SOURCE
from sandbox.runner.zygote import END_SECONDS, LIMITS, MakeGroup, Zygote

FOLDER = "SIGNALBOX_ZYGOTE_FOLDER"
# Not the user's TMPDIR: the daemon must find them under the same name.
DEFAULT_FOLDER = "/var/tmp"  # noqa: S108 - each is closed to others
FOLDER_LETTERS = 64  # a socket's path has at most 107, and ours are below it
PLACE = "/tmp"  # noqa: S108 - the container's
SOCKET = "zygote"
START_SECONDS = 30.0
LOOK_SECONDS = 0.2
OPEN_FILES = 1024
SAID_BYTES = 4096
# Not /proc, see above. Message queues would outlive the run: the namespace is the zygote's.
MASKED = ("/sys", "/etc/hosts", "/etc/resolv.conf", "/dev/mqueue")


class DockerBody:
    """A container, and the directory through which it found us."""

    def __init__(
        self, client: Any, container: str, control: socket.socket, directory: Path
    ) -> None:
        self._client = client
        self._container = container
        self._directory = directory
        self.control = control

    def end(self) -> None:
        """Remove the container by force."""
        self.control.close()
        with our_faults("(zygote)"):
            remove(self._client, self._container)
            with contextlib.suppress(NotFound):  # it is gone already
                self._client.wait(self._container, timeout=END_SECONDS, condition="removed")
        with contextlib.suppress(FileNotFoundError):  # reaped already
            shutil.rmtree(self._directory)


def start(client: Any, configuration: dict[str, Any], make_group: MakeGroup) -> Zygote:
    """A zygote in a container that is otherwise made as a cold one.

    Raises:
        SandboxUnavailableError: it did not come up; carries what it said.
        DockerException: the daemon refuses.
    """
    directory = _new_directory(int(time.time() + LIMITS.lifetime_seconds))
    with contextlib.ExitStack() as undo:
        undo.callback(shutil.rmtree, directory)
        shown = directory / "shown"
        shown.mkdir(mode=0o755)
        created = client.create_container_from_config(as_zygote(configuration, shown))
        container = str(created["Id"])
        undo.callback(remove, client, container)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(shown / SOCKET))
            (shown / SOCKET).chmod(0o666)  # nobody else walks through `directory`
            listener.listen(1)
            control = _called(client, container, listener)
        undo.callback(control.close)
        control.settimeout(START_SECONDS)
        zygote = Zygote(DockerBody(client, container, control, directory), make_group)
        undo.pop_all()
    # `directory` stays: the kernel mounts nothing over one that was removed.
    return zygote


def folder() -> Path:
    """Where zygotes have their directories: a folder that the daemon knows by the same name.

    Raises:
        SandboxUnavailableError: SIGNALBOX_ZYGOTE_FOLDER names none that can be used.
    """
    named = os.environ.get(FOLDER) or DEFAULT_FOLDER
    if not named.startswith("/") or ":" in named or len(named) > FOLDER_LETTERS:
        raise SandboxUnavailableError(
            NAME,
            f"{FOLDER}={named} cannot be mounted",
            f"Name an absolute path of at most {FOLDER_LETTERS} letters, without a colon",
        )
    return Path(named)


def _new_directory(deadline: int) -> Path:
    place = folder()
    try:
        return Path(tempfile.mkdtemp(prefix=f"zygote-{deadline}-", dir=place))
    except OSError as error:
        raise SandboxUnavailableError(
            NAME,
            f"no room for a zygote's socket: {error}",
            f"Make {place} writable for this process, or name another folder in {FOLDER}",
        ) from error


def as_zygote(configuration: dict[str, Any], shown: Path) -> dict[str, Any]:
    """The configuration of a cold container, made that of a zygote that calls back in `shown`."""
    host = configuration["HostConfig"] | {
        "SecurityOpt": [
            "no-new-privileges:true",
            "apparmor=unconfined",
            seccomp.docker_zygote_option(),
        ],
        "NanoCpus": int(min(LIMITS.cpu, os.cpu_count() or 1) * 1e9),
        "Ulimits": [
            {"Name": "nofile", "Soft": OPEN_FILES, "Hard": OPEN_FILES},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        # Nothing of the version whose image it happens to be.
        "Tmpfs": {SOURCE: "ro,nosuid,nodev,noexec,size=4k"},
        "Binds": [f"{shown}:{PLACE}:ro"],
        "MaskedPaths": list(MASKED),
        "AutoRemove": True,  # nobody removes it when the platform dies
        "ReadonlyPaths": [],
    }
    return configuration | {
        "Cmd": [*COMMAND, "--zygote", f"{PLACE}/{SOCKET}"],
        "OpenStdin": False,
        "StdinOnce": False,
        "AttachStdin": False,
        "HostConfig": host,
    }


def reap_directories(now: datetime) -> None:
    """Remove those of zygotes past their deadline, whose platform died."""
    for directory in folder().glob("zygote-*-*"):
        deadline = directory.name.split("-")[1]
        if deadline.isdecimal() and int(deadline) < now.timestamp():
            shutil.rmtree(directory, ignore_errors=True)


def _called(client: Any, container: str, listener: socket.socket) -> socket.socket:
    params = {"stdin": 0, "stdout": 1, "stderr": 1, "stream": 1}
    said = client.attach_socket(container, params=params)
    try:
        client.start(container)
        return _accepted(client, container, listener)
    except (OSError, EOFError) as error:
        lines = _read(said).strip().splitlines() or [str(error)]
        raise SandboxUnavailableError(
            NAME,
            f"could not start a zygote: {lines[-1]}",
            "See the Docker daemon's log; SIGNALBOX_SANDBOX_PATH=cold does without zygotes",
        ) from error
    finally:
        said._response.close()  # noqa: SLF001 - docker-py leaves it open
        said.close()


def _accepted(client: Any, container: str, listener: socket.socket) -> socket.socket:
    deadline = time.monotonic() + START_SECONDS
    listener.settimeout(LOOK_SECONDS)
    while time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            return listener.accept()[0]
        with contextlib.suppress(NotFound):
            if client.inspect_container(container)["State"]["Running"]:
                continue
        raise EOFError("the container ended")
    raise EOFError(f"it did not call within {START_SECONDS:g} s")


def _read(said: Any) -> str:
    intake = Intake(log_bytes=SAID_BYTES, output_bytes=SAID_BYTES)
    demultiplexer = Demultiplexer(intake)
    with contextlib.suppress(OSError):
        os.set_blocking(said.fileno(), False)
        while data := os.read(said.fileno(), SAID_BYTES):
            demultiplexer.feed(data)
    return intake.log.peek()
