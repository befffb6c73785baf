"""A model in a plain process of this machine: the platform's harness, without its sandbox.

What only the sandbox would refuse (the network, another process, other files) is
not refused here, and versions of packages are those installed, not the lock's.
"""

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import msgspec

from signalbox.answer import AnswerCheck, InvalidAnswerError
from signalbox.manifest import Manifest
from signalbox.protocol import (
    HEADER,
    MAX_TO_HOST_BYTES,
    PROTOCOL_VERSION,
    Answer,
    Historical,
    History,
    Init,
    Kind,
    ModelError,
    ProtocolError,
    Ready,
    Recall,
    Refused,
    Slot,
    pack,
    unpack_header,
)
from signalbox.seed import slot_seed, version_seed
from signalbox.testing.process import Given, Launch, NoAnswerError, Rows
from signalbox.window import RefusedReadError

# Shipped with the distribution; beside it in a checkout.
HARNESSES = ("signalbox.harness", "sandbox.harness")
START_SECONDS = 30.0
END_SECONDS = 2.0
# As in the sandbox: one thread each, one order of hashes.
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "RAYON_NUM_THREADS": "1",
    "TZ": "UTC",
}
PASSED_ON = ("PATH", "HOME", "VIRTUAL_ENV", "PYTHONPATH")
DECODED = {
    Kind.READY: Ready,
    Kind.FORECAST: Answer,
    Kind.HISTORY: History,
    Kind.HISTORICAL: Historical,
    Kind.ERROR: ModelError,
}
Message = Ready | Answer | History | Historical | ModelError


def plain_processes(folder: Path, manifest: Manifest, label: str) -> Launch:
    """Each call starts `app.py` of `folder` in a process of its own."""

    @contextmanager
    def launch() -> Iterator[PlainProcess]:
        with tempfile.TemporaryFile() as log:
            process = PlainProcess(folder, manifest, label, log)
            try:
                process.start()
                yield process
            finally:
                process.close()

    return launch


class PlainProcess:
    """See `signalbox.testing.Process`."""

    def __init__(self, folder: Path, manifest: Manifest, label: str, log: IO[bytes]) -> None:
        module = next(name for name in HARNESSES if _is_here(name))
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-B", "-m", module],
            cwd=folder,
            env={**kept, **ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            bufsize=0,
        )
        self._log = log
        self._manifest = manifest
        self._label = label
        self._check = AnswerCheck(manifest)
        self._seconds = float(manifest.runtime.timeout_seconds)
        self._seq = 0
        self.alive = True
        self.has_history = False

    def start(self) -> None:
        init = Init(PROTOCOL_VERSION, self._label, self._manifest, version_seed(self._label))
        self._send((Kind.INIT, msgspec.msgpack.encode(init)))
        message = self._receive(START_SECONDS)
        self.has_history = isinstance(message, Ready) and message.history

    def forecast(self, given: Given) -> Rows:
        self._seq += 1
        self._reveal(Kind.SLOT, given, slot_seed(self._label, given.as_of))
        return self._checked(self._answered(self._seconds, given))

    def look_back(self, given: Given) -> int:
        self._seq += 1
        self._reveal(Kind.PAST, given, version_seed(self._label))
        message = self._answered(max(START_SECONDS, self._seconds), given)
        return message.hours if isinstance(message, History) else 0

    def recall(self, as_of: datetime) -> Rows | None:
        self._seq += 1
        self._send((Kind.RECALL, msgspec.msgpack.encode(Recall(as_of))))
        message = self._receive(self._seconds)
        return self._checked(message) if isinstance(message, Answer) and message.rows else None

    def end(self) -> None:
        self._seq = 0
        self._send((Kind.END, b""))
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            raise self._failed("invalid: it did not end when told to") from None
        if status != 0:
            raise self._failed(f"exit: ended with status {status} when told to end")

    def close(self) -> None:
        self.alive = False
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _reveal(self, kind: Kind, given: Given, seed: int) -> None:
        slot = Slot(given.as_of, self._manifest.forecast.symbols, seed)
        tables = [(Kind.TABLE, given.tables[symbol]) for symbol in slot.symbols]
        self._send((kind, msgspec.msgpack.encode(slot)), *tables)

    def _answered(self, seconds: float, given: Given) -> Message:
        while isinstance(message := self._receive(seconds), Historical):
            try:
                rows = given.historical(message.symbol, message.start, message.end)
                self._send((Kind.ROWS, rows))
            except RefusedReadError as refusal:
                self._send((Kind.REFUSED, msgspec.msgpack.encode(Refused(str(refusal)))))
        return message

    def _checked(self, message: Message) -> Rows:
        try:
            if isinstance(message, Answer):
                return self._check.checked(message.rows)
        except InvalidAnswerError as error:
            raise NoAnswerError(f"invalid: {error}", self._printed()) from None
        raise self._failed(f"invalid: {type(message).__name__} where forecasts belong")

    def _send(self, *frames: tuple[Kind, bytes]) -> None:
        assert self._process.stdin is not None  # noqa: S101 - opened as a pipe
        data = memoryview(b"".join(pack(kind, self._seq, payload) for kind, payload in frames))
        with contextlib.suppress(BrokenPipeError):  # what it died of, the next read tells
            while data:
                data = data[self._process.stdin.write(data) :]

    def _receive(self, seconds: float) -> Message:
        deadline = time.monotonic() + seconds
        try:
            length, kind, seq = unpack_header(self._read(HEADER.size, deadline), MAX_TO_HOST_BYTES)
            payload = self._read(length, deadline)
            message = self._decoded(kind, seq, payload)
        except TimeoutError:
            raise self._failed(f"timeout: no answer within {seconds:g} s") from None
        except EOFError:
            status = self._process.wait()
            raise self._failed(f"exit: ended with status {status} before it answered") from None
        except (ProtocolError, msgspec.MsgspecError) as error:
            raise self._failed(f"invalid: {error}") from None
        if isinstance(message, ModelError):
            line = " ".join(f"{message.type}: {message.message}".split())
            self.alive = self._seq > 0
            raise NoAnswerError(f"error: {line}", self._printed() + message.traceback)
        return message

    def _decoded(self, kind: int, seq: int, payload: bytes) -> Message:
        if seq != self._seq or kind not in DECODED:
            raise ProtocolError(f"frame {kind} of step {seq} in step {self._seq}")
        message: Message = msgspec.msgpack.decode(payload, type=DECODED[Kind(kind)])
        return message

    def _read(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - opened as a pipe
        data = b""
        while len(data) < size:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._process.stdout], [], [], left)[0]:
                raise TimeoutError
            chunk = self._process.stdout.read(size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def _failed(self, reason: str) -> NoAnswerError:
        self.alive = False
        return NoAnswerError(reason, self._printed())

    def _printed(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")


def _is_here(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
