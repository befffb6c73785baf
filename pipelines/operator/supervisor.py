"""Start the processes of one machine, keep them up, and leave nothing behind.

Each process has its own session, log file and environment. One that ends is
started again after a pause that doubles while it lives briefly, and whatever it
leaves behind ends before: its successor needs its port. All are told to end in the
reverse order of their start, and their process groups are killed if they do not.
Should the supervisor itself be killed, the kernel tells its children to end.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 90.0
STOP_SECONDS = 15.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
LOG_TAIL_LINES = 15


class StartError(RuntimeError):
    """A process did not come up; carries the end of its log."""


@dataclass
class Program:
    """One process: what to run, and how to see that it is up."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    is_up: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    not_before: float = field(default=0.0)
    started_at: float = field(default=0.0)


class Supervisor:
    """Runs programs until told to stop."""

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        self.logs = logs
        self.programs: list[Program] = []
        self.say = say

    def start(self, programs: list[Program]) -> None:
        """Start all and wait until each is up.

        Raises:
            StartError: naming the program and showing the end of its log.
        """
        for program in programs:
            self.programs.append(program)
            self._spawn(program)
        deadline = time.monotonic() + START_SECONDS
        for program in programs:
            while not program.is_up():
                if program.process is None or program.process.poll() is not None:
                    raise StartError(f"{program.name} ended at once:\n{self._tail(program)}")
                if time.monotonic() > deadline:
                    raise StartError(f"{program.name} did not come up:\n{self._tail(program)}")
                time.sleep(0.1)

    def watch(self) -> None:
        """Start again what has ended; call it often."""
        for program in self.programs:
            ended = program.process is not None and program.process.poll() is not None
            if ended and program.process is not None:
                _end_group(program.process.pid)
                if time.monotonic() - program.started_at > LONGEST_PAUSE_SECONDS:
                    program.restarts = 0
                pause = min(FIRST_PAUSE_SECONDS * 2**program.restarts, LONGEST_PAUSE_SECONDS)
                self.say(
                    f"{program.name} ended ({program.process.returncode}); "
                    f"starting it again in {pause:.0f} s"
                )
                program.process = None
                program.restarts += 1
                program.not_before = time.monotonic() + pause
            if program.process is None and time.monotonic() >= program.not_before:
                self._spawn(program)

    def stop(self) -> None:
        """End all, last started first."""
        for program in reversed(self.programs):
            if program.process is not None and program.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    program.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for program in reversed(self.programs):
            if program.process is None:
                continue
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.process.wait(max(0.1, deadline - time.monotonic()))
            _end_group(program.process.pid)
            program.process.wait()
        self.programs.clear()

    def _spawn(self, program: Program) -> None:
        arguments = program.arguments
        program.started_at = time.monotonic()
        if setpriv := shutil.which("setpriv"):
            arguments = [setpriv, "--pdeathsig", "TERM", "--", *arguments]
        with (self.logs / f"{program.name}.log").open("ab") as log:
            program.process = subprocess.Popen(
                arguments,
                env=program.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _tail(self, program: Program) -> str:
        lines = (self.logs / f"{program.name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])


def _end_group(leader: int) -> None:
    """Kill what is left of the group of a program's first process."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def answers(url: str) -> Callable[[], bool]:
    """Is there an HTTP answer at `url`?"""

    def is_up() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own loopback address
                return True
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return True
        except OSError:
            return False

    return is_up


def listens(port: int) -> Callable[[], bool]:
    """Does something listen on this port of the loopback address?"""

    def is_up() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return is_up
