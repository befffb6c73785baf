"""The host's side of the protocol: one model process, slot by slot.

Theory of operation: lockstep. The host sends a slot, with everything the model
may see of it, only after it has the forecast of the slot before. Every frame is
checked for kind, seq and size, and decoded into a strict type; the first fault
ends the session. Two things leave it able to go on: an exception that the model
raised, and a whole answer with wrong numbers. A session never restarts by
itself: `run.replay` does.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

import msgspec

from sandbox.runner.ending import Raised, ended, raised
from sandbox.runner.engine import NOT_MEASURED, Engine, Sandbox, Usage
from sandbox.runner.errors import Missed
from sandbox.runner.frames import Frames
from sandbox.runner.image import Image
from sandbox.runner.limits import Limits
from sandbox.runner.reads import HistoricalRead, ReadGuard
from signalbox import Manifest, RefusedReadError
from signalbox.protocol import (
    PROTOCOL_VERSION,
    Answer,
    Historical,
    History,
    Init,
    Kind,
    ModelError,
    ProtocolError,
    Ready,
    Refused,
    Slot,
)

__all__ = ["HistoricalRead", "Session"]

# Leaving takes milliseconds; the rest is for an honest model on a host that has too much to do.
END_SECONDS = 5.0
LOADED = frozenset({Kind.READY, Kind.ERROR})
ANSWERED = frozenset({Kind.FORECAST, Kind.HISTORICAL, Kind.ERROR})
_SLOT = msgspec.msgpack.Encoder()


class Session:
    """One model process serving one slot (cold) or many (replay).

    Use as a context manager: it starts on entry and leaves nothing behind.

    Attributes:
        has_history: the model defines `forecast_history`; see `past.py`.
    """

    def __init__(
        self,
        engine: Engine,
        image: Image,
        manifest: Manifest,
        *,
        version_label: str,
        version_seed: int,
        limits: Limits,
    ) -> None:
        self._engine = engine
        self._image = image
        self._manifest = manifest
        self._version_label = version_label
        self._version_seed = version_seed
        self._limits = limits
        self._sandbox: Sandbox | None = None
        self._launched_at = 0.0
        self._alive = False
        self.has_history = False
        self._held_step: int | None = None
        self._log = ""
        self._usage = NOT_MEASURED

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether another slot may be asked of it."""
        return self._alive

    @property
    def age_seconds(self) -> float:
        """Since launch; past `limits.lifetime_seconds` the reaper may end it."""
        return time.monotonic() - self._launched_at

    @property
    def usage(self) -> Usage:
        """What the sandbox took, once it is closed."""
        return self._usage

    def start(self) -> None:
        """Launch the sandbox and wait until the model's code is loaded.

        Raises:
            Missed: it could not be loaded, or not in time.
            SandboxError: ours; nothing is known about the model.
        """
        self._launched_at = time.monotonic()
        seconds = self._limits.start_seconds
        deadline = self._launched_at + seconds
        self._sandbox = self._engine.launch(self._image, self._limits, self._version_label)
        init = Init(
            protocol=PROTOCOL_VERSION,
            version=self._version_label,
            manifest=self._manifest,
            seed=self._version_seed,
        )
        with self._step(f"its code was not loaded within {seconds:g} s") as frames:
            frames.send(Kind.INIT, 0, msgspec.msgpack.encode(init), deadline)
            message = frames.receive(0, LOADED, deadline)
            if isinstance(message, ModelError):
                raise self._raised(message)
            if isinstance(message, Ready) and message.protocol != PROTOCOL_VERSION:
                raise Missed(
                    "invalid", f"speaks protocol {message.protocol}, not {PROTOCOL_VERSION}"
                )
            frames.check_quiet()
            self.has_history = isinstance(message, Ready) and message.history
        self._alive = True

    def answer(
        self,
        as_of: datetime,
        seq: int,
        slot_seed: int,
        tables: Mapping[str, bytes],
        historical: HistoricalRead,
        changes: Mapping[str, bytes] | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Answer:
        """Reveal a slot and take its forecasts, as they came: whole, but not yet checked.

        Args:
            as_of: the slot, UTC.
            seq: the step, from 1, another one for each slot of the session.
            slot_seed: seeds `window.random`.
            tables: an Arrow IPC stream for every symbol of the manifest.
            historical: answers `window.historical`; its time is not the model's.
            changes: a CHANGE for every symbol, sent instead of `tables` where the
                process holds those of step `seq - 1`.
            meanwhile: called once the slot is revealed; its time is not the model's.

        Raises:
            Missed: any fault of the model; `alive` says whether it can go on.
        """
        if not self._alive:
            raise RuntimeError("this session has ended; start another")
        seconds = self._limits.timeout_seconds
        deadline = time.monotonic() + seconds
        with self._step(f"no answer within {seconds:g} s") as frames:
            frames.channel.drain()
            frames.check_quiet()
            slot = Slot(as_of=as_of, symbols=self._manifest.forecast.symbols, seed=slot_seed)
            if changes is not None and self._held_step == seq - 1:
                self._reveal_changes(frames, slot, seq, changes, deadline)
            else:
                self._reveal_tables(frames, slot, seq, tables, deadline)
            self._held_step = seq
            reads = ReadGuard(self._manifest, as_of, historical)
            if meanwhile is not None:
                reads.spend(meanwhile)
            answer = self._await(frames, seq, deadline, reads, ANSWERED)
            assert isinstance(answer, Answer)  # noqa: S101 - ANSWERED has no other
            frames.channel.drain()
            frames.check_quiet()
        return answer

    def take_log(self) -> str:
        """What was printed since the last call, at most `limits.log_bytes` of it."""
        self._keep_log()
        log, self._log = self._log, ""
        return log

    def end(self) -> None:
        """Say END, wait for the process to go, and check that it went quietly.

        Raises:
            Missed: it wrote after its answer, had ended before it was told to, or
                stayed.
        """
        if not self._alive:
            return
        deadline = time.monotonic() + END_SECONDS
        overdue, early = "it did not end when told to", "before it was told to end"
        with self._step(overdue, early) as frames:
            frames.channel.drain()
            frames.check_quiet()
            if frames.channel.ended:
                raise EOFError
            if self._sandbox is not None:
                self._sandbox.usage()  # a container's is gone when it has ended
            frames.send(Kind.END, 0, b"", deadline)
            frames.channel.drain_to_end(deadline)
            frames.check_quiet()
            exit_ = self._sandbox.wait(END_SECONDS) if self._sandbox else None
            if exit_ is None or exit_.status != 0:
                raise ended(exit_, "when told to end")
        self.close()

    def close(self) -> None:
        """End and remove the sandbox; what it printed stays for `take_log`."""
        self._alive = False
        self._keep_log()
        sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            sandbox.close()
            self._usage = sandbox.usage()

    def _reveal_tables(
        self,
        frames: Frames,
        slot: Slot,
        seq: int,
        tables: Mapping[str, bytes],
        deadline: float,
        kind: Kind = Kind.SLOT,
    ) -> None:
        frames.send(kind, seq, _SLOT.encode(slot), deadline)
        for symbol in slot.symbols:
            frames.send(Kind.TABLE, seq, tables[symbol], deadline)

    def _reveal_changes(
        self, frames: Frames, slot: Slot, seq: int, changes: Mapping[str, bytes], deadline: float
    ) -> None:
        told = [(Kind.SLOT, _SLOT.encode(slot))]
        told += [(Kind.CHANGE, changes[symbol]) for symbol in slot.symbols]
        frames.send_together(told, seq, deadline)

    def _await(
        self,
        frames: Frames,
        seq: int,
        deadline: float,
        reads: ReadGuard,
        expected: frozenset[Kind],
    ) -> Answer | History:
        while True:
            message = frames.receive(seq, expected, deadline + reads.host_seconds)
            if isinstance(message, Answer | History):
                return message
            if isinstance(message, ModelError):
                raise self._raised(message)
            if isinstance(message, Historical):
                try:
                    kind, payload = Kind.ROWS, reads.answer(message)
                except RefusedReadError as refusal:
                    kind, payload = Kind.REFUSED, msgspec.msgpack.encode(Refused(str(refusal)))
                frames.send(kind, seq, payload, deadline + reads.host_seconds)

    @contextlib.contextmanager
    def _step(self, overdue: str, when: str = "before it answered") -> Iterator[Frames]:
        """Turn whatever goes wrong in a step into `Missed`, and end the process for it."""
        if self._sandbox is None:
            raise RuntimeError("this session was not started; use it as a context manager")
        try:
            yield Frames(self._sandbox.channel, output_bytes=self._limits.output_bytes)
        except Raised as fault:
            raise Missed(fault.kind, fault.detail) from None
        except TimeoutError:
            missed = Missed("timeout", overdue)
        except EOFError:
            missed = ended(self._sandbox.wait(END_SECONDS), when)
        except ProtocolError as error:
            missed = Missed("invalid", str(error))
        except Missed as fault:
            missed = fault
        except BaseException:
            self.close()
            raise
        else:
            return
        self.close()
        raise missed

    def _raised(self, error: ModelError) -> Raised:
        self._log_line(error.traceback)
        return raised(error)

    def _log_line(self, text: str) -> None:
        self._keep_log()
        self._log += text if text.endswith("\n") else f"{text}\n"

    def _keep_log(self) -> None:
        if self._sandbox is not None:
            with contextlib.suppress(ProtocolError):
                self._sandbox.channel.drain()
            self._log += self._sandbox.channel.log.take()
