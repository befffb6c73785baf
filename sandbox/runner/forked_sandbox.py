"""A sandbox that a keeper forked."""

import contextlib
import signal
import time
from datetime import datetime

from sandbox.harness.zygote import FAILED, RUNNING
from sandbox.runner.channel import Channel, Intake
from sandbox.runner.engine import NOT_MEASURED, Exit, Usage
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.limits import Limits
from sandbox.runner.zygote import Ended, Keeper, Zygote
from sandbox.runner.zygotes import Zygotes

GONE_SECONDS = 5.0
SIGNALLED = 128


class ForkedSandbox:
    """One run of a keeper."""

    def __init__(
        self,
        label: str,
        limits: Limits,
        ours: tuple[int, int, int],
        keeper: Keeper,
        zygote: Zygote,
        zygotes: Zygotes,
        engine: str,
    ) -> None:
        self.label = label
        self._keeper = keeper
        self._zygote = zygote
        self._zygotes = zygotes
        self._engine = engine
        self._deadline = time.time() + limits.lifetime_seconds
        self._exit: Exit | None = None
        self._usage = NOT_MEASURED
        self._ran = self._killed = self._over = self._closed = False
        stdin, stdout, stderr = ours
        intake = Intake(log_bytes=limits.log_bytes, output_bytes=limits.output_bytes)
        self.channel = Channel(
            intake,
            stdin_fd=stdin,
            protocol_fd=stdout,
            readers={stdout: intake.take_protocol, stderr: intake.log.append},
            owned=ours,
        )

    def kill(self) -> None:
        """End everything in it: process 1 takes its namespace with it."""
        self._killed = True
        if not self._over:
            self._keeper.kill_run()

    def wait(self, timeout_seconds: float) -> Exit | None:
        """How it ended; see `Sandbox.wait`."""
        deadline = time.monotonic() + timeout_seconds
        while self._exit is None:
            try:
                message = self._keeper.hear(deadline - time.monotonic())
            except TimeoutError:
                return None
            except Ended as ended:
                self._end(ended)
            except ValueError as nonsense:
                raise self._unavailable(f"its keeper told nonsense: {nonsense}") from None
            else:
                self._heed(message)
        return self._exit

    def usage(self) -> Usage:
        """What it took; known when it has ended."""
        return self._usage

    def close(self) -> None:
        """Kill it, wait until it is gone, give keeper and zygote back."""
        if self._closed:
            return
        self._closed = True
        if not self._over:
            self.kill()
            with contextlib.suppress(SandboxUnavailableError):
                self.wait(GONE_SECONDS)
        self.channel.close()
        try:
            self._zygote.take_back(self._keeper, ended=self._over)
        finally:
            self._zygotes.give_back(self._zygote)

    def is_overdue(self, now: datetime) -> bool:
        """Whether it runs past its lifetime."""
        return not (self._over or self._closed) and self._deadline < now.timestamp()

    def _heed(self, message: bytes) -> None:
        if message == RUNNING:
            self._ran = True
        elif message.startswith(FAILED):
            raise self._unavailable(message.removeprefix(FAILED).decode(errors="replace"))
        else:
            # The keeper is gone, and the model with it.
            self._exit = self._judged(-signal.SIGKILL)

    def _end(self, ended: Ended) -> None:
        self._over = True
        group = self._keeper.group
        peak_mb = group.peak_mb(begun_anew=True) if group else None
        self._usage = Usage(ended.cpu_ms, ended.peak_mb if peak_mb is None else peak_mb)
        self._exit = self._judged(ended.code)

    def _judged(self, code: int) -> Exit:
        out_of_memory = code == -signal.SIGKILL and self._keeper.new_ooms()
        if not (self._killed or out_of_memory):
            # Process 1 cannot kill itself: somebody outside did.
            if code == -signal.SIGKILL and not self._zygote.alive:
                raise self._unavailable("the zygote ended, and this run with it")
            if not self._ran:
                raise self._unavailable("its process ended before it ran the model")
        return Exit(code if code >= 0 else SIGNALLED - code, out_of_memory)

    def _unavailable(self, problem: str) -> SandboxUnavailableError:
        return SandboxUnavailableError(
            self._engine,
            f"forked path: {problem}",
            "Run the slot again; a new zygote is started for it",
        )
