"""Sandboxes from Docker's HTTP API: one new container each.

Theory of operation: create, attach, start; stdin goes down the attached
connection and stdout and stderr come back up it, interleaved in chunks with an
8-byte header each. No log driver, no volume, no network: the frames are the
only way in or out. Whatever happens, the container is removed by force.
"""

import contextlib
import os
import signal
import socket
import struct
import time
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from sandbox.runner import seccomp
from sandbox.runner.channel import Channel, Intake
from sandbox.runner.engine import EngineName, Exit, Guarantees, RunPath
from sandbox.runner.errors import DiskFullError, ImageAbsentError, SandboxUnavailableError
from sandbox.runner.image import (
    COMMAND,
    ENVIRONMENT,
    HOSTNAME,
    MASKED_DIRECTORIES,
    MASKED_FILES,
    SOURCE,
    Image,
)
from sandbox.runner.limits import FILE_BYTES, OPEN_FILES, Limits

NAME: EngineName = "docker"
LABEL = "signalbox.sandbox"
DEADLINE_LABEL = "signalbox.deadline"
MODEL_ID = 65_534
DEFAULT_HOST = "unix:///var/run/docker.sock"
API_SECONDS = 30
POLL_SECONDS = 0.005
TMP_INODES = 1024
CHUNK_HEADER = struct.Struct(">B3xI")
STDERR = 2
REMEDY = "Start Docker (systemctl start docker), or choose the embedded engine"
RETRY = "Run the slot again"
# The engine binds its own into every container: the host's name servers are none of a model's.
MASKED_ETC = ("/etc/hosts", "/etc/resolv.conf")


class DockerEngine:
    """Starts sandboxes as containers.

    Args:
        runtime: OCI runtime such as `runsc`; the engine's default otherwise.
        client: a docker-py `APIClient`; one from the environment otherwise.
    """

    path: RunPath = "cold"

    def __init__(self, *, runtime: str | None = None, client: Any = None) -> None:
        self._runtime = runtime
        with _our_faults("(no image yet)"):
            _knock()
            self._client = client or docker.APIClient(
                version="auto", timeout=API_SECONDS, **docker.utils.kwargs_from_env()
            )
            self._client.ping()

    @property
    def name(self) -> EngineName:
        return NAME

    def launch(self, image: Image, limits: Limits, label: str) -> "DockerSandbox":
        """Start the image's harness; see `Engine.launch`."""
        with _our_faults(image.digest):
            created = self._client.create_container_from_config(
                self._configuration(image, limits, label)
            )
            container = str(created["Id"])
            try:
                return DockerSandbox(self._client, container, label, limits)
            except BaseException:
                _remove(self._client, container)
                raise

    def reap(self, now: datetime) -> tuple[str, ...]:
        """Remove labelled containers past their deadline."""
        reaped = []
        with _our_faults("(all images)"):
            found = self._client.containers(all=True, filters={"label": LABEL})
            for container in found:
                deadline = container["Labels"].get(DEADLINE_LABEL, "0")
                if not deadline.isdecimal() or int(deadline) < now.timestamp():
                    _remove(self._client, container["Id"])
                    reaped.append(str(container["Labels"][LABEL]))
        return tuple(reaped)

    def guarantees(self) -> Guarantees:
        """What holds under Docker."""
        gvisor = self._runtime == "runsc"
        return Guarantees(
            holds=(
                "no network of any kind: no interface and no socket call",
                "no process but the model's own threads: fork is refused",
                "no host file; the image is read-only",
                "its /tmp is private, sized, without execution, and gone afterwards",
                "no capability, no privilege to gain, user 65534, own namespaces",
                "memory, processes and CPU limited by a cgroup",
                "one deadline per step, enforced from outside",
                *(("the model talks to gVisor's kernel, not to the host's",) if gvisor else ()),
            ),
            lacks=(
                "no user namespace unless the daemon runs with userns-remap",
                *(
                    ()
                    if gvisor
                    else (
                        "the kernel is shared: a hole in one of its 150 allowed calls is a way out",
                    )
                ),
                "the clock can be read",
                "its own memory can be executed (compilers need it), under the same filter",
            ),
        )

    def close(self) -> None:
        """Close the connections to the engine."""
        self._client.close()

    def _configuration(self, image: Image, limits: Limits, label: str) -> dict[str, Any]:
        deadline = int(time.time() + limits.lifetime_seconds)
        return {
            "Image": image.digest,
            "Entrypoint": [],
            "Cmd": list(COMMAND),
            "Env": [f"{name}={value}" for name, value in ENVIRONMENT.items()],
            "WorkingDir": SOURCE,
            "User": f"{MODEL_ID}:{MODEL_ID}",
            "Hostname": HOSTNAME,
            "NetworkDisabled": True,
            "OpenStdin": True,
            "StdinOnce": True,
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": False,
            "Labels": {LABEL: label, DEADLINE_LABEL: str(deadline)},
            "HostConfig": self._host_configuration(limits),
        }

    def _host_configuration(self, limits: Limits) -> dict[str, Any]:
        memory = limits.memory_mb * 1024 * 1024
        configuration: dict[str, Any] = {
            "NetworkMode": "none",
            "IpcMode": "none",
            "CgroupnsMode": "private",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true", seccomp.docker_option()],
            "PidsLimit": limits.pids,
            "Memory": memory,
            "MemorySwap": memory,
            "NanoCpus": int(limits.cpu * 1_000_000_000),
            "Ulimits": [
                {"Name": "nofile", "Soft": OPEN_FILES, "Hard": OPEN_FILES},
                {"Name": "fsize", "Soft": FILE_BYTES, "Hard": FILE_BYTES},
                {"Name": "core", "Soft": 0, "Hard": 0},
            ],
            "Tmpfs": {
                # Owned by the model's user: runc gives it the mode of the image's /tmp.
                "/tmp": (  # noqa: S108 - the sandbox's own
                    f"rw,nosuid,nodev,noexec,size={limits.tmp_mb}m,nr_inodes={TMP_INODES},"
                    f"uid={MODEL_ID},gid={MODEL_ID}"
                )
            },
            "LogConfig": {"Type": "none", "Config": {}},
            "MaskedPaths": [*MASKED_FILES, *MASKED_DIRECTORIES, *MASKED_ETC, "/proc/net", "/sys"],
            "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
            "RestartPolicy": {"Name": "no"},
        }
        if self._runtime is not None:
            configuration["Runtime"] = self._runtime
        return configuration


class DockerSandbox:
    """One container, attached and started."""

    def __init__(self, client: Any, container: str, label: str, limits: Limits) -> None:
        self.label = label
        self._client = client
        self._container = container
        self._exit: Exit | None = None
        self._connection = client.attach_socket(
            container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        )
        intake = Intake(log_bytes=limits.log_bytes, output_bytes=limits.output_bytes)
        fd = self._connection.fileno()
        self.channel = Channel(
            intake,
            stdin_fd=fd,
            protocol_fd=fd,
            readers={fd: Demultiplexer(intake).feed},
            owned=(),
        )
        try:
            client.start(container)
        except BaseException:
            self._disconnect()
            raise

    def kill(self) -> None:
        """End everything in it."""
        with contextlib.suppress(APIError):  # it has ended, or is gone
            self._client.kill(self._container)

    def wait(self, timeout_seconds: float) -> Exit | None:
        """How it ended; see `Sandbox.wait`."""
        deadline = time.monotonic() + timeout_seconds
        while self._exit is None:
            with _our_faults("(running)"):
                state = self._client.inspect_container(self._container)["State"]
            if state["Status"] in ("removing", "dead"):
                raise SandboxUnavailableError(NAME, "somebody removed the container", RETRY)
            if not state["Running"]:
                self._exit = Exit(int(state["ExitCode"]), bool(state["OOMKilled"]))
            elif time.monotonic() > deadline:
                return None
            else:
                time.sleep(POLL_SECONDS)
        return self._exit

    def close(self) -> None:
        """Remove the container by force, and the connection to it."""
        self._disconnect()
        with _our_faults("(running)"):
            if self._exit is None:
                self._kill_directly()
            _remove(self._client, self._container)

    def _kill_directly(self) -> None:
        """Kill process 1 by its number on this host, where that is possible.

        A model may end its main thread and stay in another: runc takes the zombie
        leader for a stopped container and does not kill it, and the daemon waits 10
        seconds before it does.
        """
        with contextlib.suppress(OSError, NotFound):
            pid = int(self._client.inspect_container(self._container)["State"]["Pid"])
            cgroups = Path(f"/proc/{pid}/cgroup").read_text() if pid else ""
            # The daemon may be on another host: only a process of this container is ours.
            if self._container in cgroups:
                os.kill(pid, signal.SIGKILL)

    def _disconnect(self) -> None:
        self.channel.close()
        response = getattr(self._connection, "_response", None)
        if response is not None:
            response.close()
        self._connection.close()


class Demultiplexer:
    """Takes the attached connection's chunks apart: stdout is protocol, stderr is log."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._header = bytearray()
        self._left = 0
        self._is_log = False

    def feed(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            if self._left == 0:
                wanted = CHUNK_HEADER.size - len(self._header)
                self._header += view[:wanted]
                view = view[wanted:]
                if len(self._header) == CHUNK_HEADER.size:
                    stream, self._left = CHUNK_HEADER.unpack(self._header)
                    self._is_log = stream == STDERR
                    self._header.clear()
                continue
            part = bytes(view[: self._left])
            view = view[self._left :]
            self._left -= len(part)
            if self._is_log:
                self._intake.log.append(part)
            else:
                self._intake.take_protocol(part)


def _knock() -> None:
    """Connect to a local daemon's socket ourselves: docker-py leaks one that does not answer."""
    host = os.environ.get("DOCKER_HOST", DEFAULT_HOST)
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(API_SECONDS)
            knocking.connect(host.removeprefix("unix://"))


def _remove(client: Any, container: str) -> None:
    try:
        client.remove_container(container, force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code != HTTPStatus.CONFLICT:  # somebody else is removing it
            raise


@contextlib.contextmanager
def _our_faults(digest: str) -> Iterator[None]:
    try:
        yield
    except ImageNotFound as error:
        raise ImageAbsentError(NAME, digest, str(error.explanation)) from error
    except NotFound as error:
        raise SandboxUnavailableError(NAME, "somebody removed the container", RETRY) from error
    except APIError as error:
        if "no space left" in str(error).lower():
            raise DiskFullError(NAME, str(error.explanation)) from error
        if "no such image" in str(error).lower():
            raise ImageAbsentError(NAME, digest, str(error.explanation)) from error
        raise SandboxUnavailableError(NAME, str(error), "See the Docker daemon's log") from error
    except (DockerException, requests.RequestException, OSError) as error:
        raise SandboxUnavailableError(NAME, f"does not answer: {error}", REMEDY) from error
