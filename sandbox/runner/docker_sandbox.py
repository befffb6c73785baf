"""One running container as a sandbox: frames over the attached connection, and its end."""

import contextlib
import os
import signal
import struct
import time
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from sandbox.runner.cgroup import MIB, ROOT, Cgroup
from sandbox.runner.channel import Channel, Intake
from sandbox.runner.docker_client import NAME, RETRY, our_faults, remove
from sandbox.runner.engine import NOT_MEASURED, Exit, Usage
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.limits import Limits

POLL_SECONDS = 0.005
REMOVAL_SECONDS = 0.2
KILLED = 128 + signal.SIGKILL
CHUNK_HEADER = struct.Struct(">B3xI")
STDERR = 2


class DockerSandbox:
    """One container, attached and started."""

    def __init__(self, client: Any, container: str, label: str, limits: Limits) -> None:
        self.label = label
        self._client = client
        self._container = container
        self._exit: Exit | None = None
        self._usage = NOT_MEASURED
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
            state = self._state()
            if not state["Running"]:
                found = Exit(int(state["ExitCode"]), bool(state["OOMKilled"]))
                if found.status == KILLED and not found.out_of_memory:
                    self._see_whether_removed()
                self._exit = found
            elif time.monotonic() > deadline:
                return None
            else:
                time.sleep(POLL_SECONDS)
        return self._exit

    def _see_whether_removed(self) -> None:
        """A removal kills first: wait a moment, because a model can end with this status too."""
        until = time.monotonic() + REMOVAL_SECONDS
        while time.monotonic() < until:
            self._state()
            time.sleep(POLL_SECONDS)

    def _state(self) -> dict[str, Any]:
        with our_faults("(running)"):
            state: dict[str, Any] = self._client.inspect_container(self._container)["State"]
        if state["Status"] in ("removing", "dead"):
            raise SandboxUnavailableError(NAME, "somebody removed the container", RETRY)
        return state

    def usage(self) -> Usage:
        """What it took when it was last asked while it ran: its cgroup ends with it."""
        if self._exit is None:
            with contextlib.suppress(APIError, OSError):
                self._usage = self._measured()
        return self._usage

    def close(self) -> None:
        """Remove the container by force, and the connection to it."""
        self.usage()
        self._disconnect()
        with our_faults("(running)"):
            if self._exit is None:
                self._kill_directly()
            remove(self._client, self._container)

    def _measured(self) -> Usage:
        if group := self._group():
            return Usage(group.cpu_ms(), group.peak_mb())
        # The daemon may be on another host, or we in a container.
        stats = self._client.stats(self._container, stream=False, one_shot=True)
        memory = stats["memory_stats"]
        peak = memory.get("max_usage", memory.get("usage"))
        if not peak:
            return self._usage  # it has ended
        cpu_ms = stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e6
        return Usage(cpu_ms, peak / MIB)

    def _group(self) -> Cgroup | None:
        """The container's own cgroup, where it can be read here."""
        pid = self._host_pid()
        if not pid:
            return None
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        paths = [tuple(line.split(":", 2)[1:]) for line in lines]
        found = [ROOT / names.removeprefix("name=") / path.strip("/") for names, path in paths]
        return Cgroup(self._container, tuple(each for each in found if each.is_dir()))

    def _host_pid(self) -> int:
        """Process 1's number on this host; 0 where it has none or has ended."""
        pid = int(self._client.inspect_container(self._container)["State"]["Pid"])
        with contextlib.suppress(OSError):
            # The daemon may be on another host: only a process of this container is ours.
            if pid and self._container in Path(f"/proc/{pid}/cgroup").read_text():
                return pid
        return 0

    def _kill_directly(self) -> None:
        """Kill process 1 by its number on this host, where that is possible.

        A model may end its main thread and stay in another: runc takes the zombie
        leader for a stopped container and does not kill it, and the daemon waits 10
        seconds before it does.
        """
        with contextlib.suppress(OSError, NotFound):
            if pid := self._host_pid():
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
