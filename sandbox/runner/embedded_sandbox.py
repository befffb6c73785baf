"""A sandbox that bubblewrap made."""

import contextlib
import json
import os
import resource
import subprocess

from sandbox.runner import cgroup
from sandbox.runner.bubblewrap import HOST_ID
from sandbox.runner.channel import Channel, Intake
from sandbox.runner.engine import NOT_MEASURED, EngineName, Exit, Usage
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.limits import Limits
from sandbox.runner.zygote import is_readable

NAME: EngineName = "embedded"


class EmbeddedSandbox:
    """One bubblewrap process and what runs in it."""

    def __init__(
        self,
        label: str,
        process: "subprocess.Popen[bytes]",
        limits: Limits,
        group: cgroup.Cgroup | None,
        status_fd: int,
    ) -> None:
        self.label = label
        self._process = process
        self._group = group
        self._status_fd = status_fd
        self._status = b""
        self._killed = False
        self._exit: Exit | None = None
        self._usage = NOT_MEASURED
        stdin, stdout, stderr = (
            os.dup(pipe.fileno())
            for pipe in (process.stdin, process.stdout, process.stderr)
            if pipe is not None
        )
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        intake = Intake(log_bytes=limits.log_bytes, output_bytes=limits.output_bytes)
        self._stdin_fd = stdin
        self.channel = Channel(
            intake,
            stdin_fd=stdin,
            protocol_fd=stdout,
            readers={stdout: intake.take_protocol, stderr: intake.log.append},
            owned=(stdin, stdout, stderr),
        )

    def open_gate(self) -> None:
        """Let the waiting shell go on: it is in its cgroup now."""
        os.write(self._stdin_fd, b"\n")

    def limit_threads(self, most: int, seconds: float) -> None:
        """Let it have so many: set from outside, once it is in its namespace.

        Raises:
            TimeoutError: it is not there after so many seconds.
        """
        process = self._process_1(seconds)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(process, resource.RLIMIT_NPROC, (most, most))

    def kill(self) -> None:
        """End everything in it: bubblewrap's death ends process 1, and that one all others."""
        self._killed = True
        self._process.kill()
        if self._group is not None:
            self._group.kill()

    def wait(self, timeout_seconds: float) -> Exit | None:
        """How it ended; see `Sandbox.wait`."""
        if self._exit is None:
            code = self._code(timeout_seconds)
            if code is None:
                return None
            out_of_memory = self._group is not None and self._group.ooms() > 0
            if code > 0 and not self._model_ran():
                self._log_is_ours()
            self._exit = Exit(status=code if code >= 0 else 128 - code, out_of_memory=out_of_memory)
        return self._exit

    def usage(self) -> Usage:
        """By its cgroup at any time; without one when it has ended by itself."""
        if self._group is not None and self._group.directories[0].exists():
            self._usage = Usage(self._group.cpu_ms(), self._group.peak_mb())
        return self._usage

    def close(self) -> None:
        """Kill it, wait, remove its cgroup and descriptors."""
        self.kill()
        self._code(None)
        self.usage()
        if self._group is not None:
            self._group.remove()
        self.channel.close()
        if self._status_fd >= 0:
            os.close(self._status_fd)
            self._status_fd = -1

    def _code(self, timeout_seconds: float | None) -> int | None:
        """Its exit code, or minus the signal; None when it still runs."""
        process = self._process
        if process.returncode is None:
            pidfd = os.pidfd_open(process.pid)
            try:
                if timeout_seconds is not None and not is_readable(pidfd, timeout_seconds):
                    return None
            finally:
                os.close(pidfd)
            # Not `process.wait`, which does not tell what bubblewrap and its child took.
            _, status, took = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if self._group is None and not self._killed:
                self._usage = Usage.told(took)
        return process.returncode

    def _process_1(self, seconds: float) -> int | None:
        """Its number here, which bubblewrap tells first; None if bubblewrap ended before."""
        while b"\n" not in self._status:
            if not is_readable(self._status_fd, seconds):
                raise TimeoutError("bubblewrap did not start")
            told = os.read(self._status_fd, 65_536)
            if not told:
                return None
            self._status += told
        return int(json.loads(self._status.splitlines()[0])["child-pid"])

    def _model_ran(self) -> bool:
        """Whether bubblewrap got as far as executing the harness."""
        if self._status_fd < 0:
            return True
        self._status += os.read(self._status_fd, 65_536)
        return any("exit-code" in json.loads(line) for line in self._status.splitlines())

    def _log_is_ours(self) -> None:
        self.channel.drain()
        said = self.channel.log.peek().strip().splitlines() or ["it said nothing"]
        raise SandboxUnavailableError(
            NAME,
            f"could not build a sandbox: {said[-1]}",
            "Check that user namespaces are allowed (sysctl user.max_user_namespaces) and that "
            f"user {HOST_ID} may read the image",
        )
