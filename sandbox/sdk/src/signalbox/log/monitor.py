"""A monitor: a witness that reads every leaf, and cosigns only if the log's rules are kept.

Theory of operation: asked to cosign, it reads the entry bundles that are new since the
checkpoint it cosigned last, hashes them to a root that must be the new checkpoint's, and
applies `signalbox.log.rules` leaf by leaf. A broken rule is refused for good, with the
leaves as evidence. A gap is refused as long as it is open: the hours that a log missed
while it was down are filled by late leaves. Reading is bounded in time; a monitor that has
much to read says so, and goes on where it stopped when it is asked again.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from signalbox.leaf import leaf_hash
from signalbox.log.errors import LeafError, RuleError, StateError
from signalbox.log.files import read_sealed, write_sealed
from signalbox.log.leaves import HOUR, parse_leaf
from signalbox.log.merkle import Frontier
from signalbox.log.rules import SignalState
from signalbox.log.slots import spell
from signalbox.log.tiles import ENTRIES, WIDTH, Tile
from signalbox.log.witness import Answer, Refused, Request, Witness, state_path

CATCH_UP = 48 * HOUR  # by then a log that was down has filled its hours
READING_SECONDS = 8.0

Fetch = Callable[[str, Tile], list[bytes]]


class FetchError(Exception):
    """The log's entries cannot be had just now."""


class Reading(msgspec.Struct, forbid_unknown_fields=True):
    """How far a log was read, and what its signals have said so far."""

    size: int = 0
    frontier: list[bytes] = msgspec.field(default_factory=list)
    signals: dict[str, SignalState] = msgspec.field(default_factory=dict)

    def take(self, body: bytes) -> None:
        """Read the next leaf.

        Raises:
            RuleError: it breaks a rule; says which.
        """
        try:
            leaf = parse_leaf(body)
        except LeafError as error:
            raise RuleError("leaf", f"leaf {self.size}: {error}") from None
        hashed = leaf_hash(body)
        self.signals.setdefault(leaf.sig, SignalState()).take(self.size, leaf, hashed)
        grown = Frontier(self.size, self.frontier)
        grown.append(hashed)
        self.size, self.frontier = grown.size, grown.hashes

    def check_gaps(self) -> None:
        """No hour between two slots of a version is open for longer than `CATCH_UP`.

        Raises:
            RuleError: one is; a late leaf would fill it.
        """
        for name, signal in self.signals.items():
            for ver, version in signal.versions.items():
                for start, _ in version.open_gaps():
                    if version.taken[-1][1] - HOUR - start > CATCH_UP:
                        raise RuleError("gap", f"{name}@{ver} has no leaf for {spell(start)}")


class Monitor(Witness):
    """Cosigns what it has read."""

    def __init__(self, folder: Path, fetch: Fetch) -> None:
        """Open a folder that `init_folder` made.

        Args:
            folder: of this monitor.
            fetch: an entry bundle of the log at an address.

        Raises:
            StateError: as `Witness`.
        """
        super().__init__(folder)
        self._fetch = fetch
        self._ahead: dict[str, Reading] = {}
        try:
            self._addresses = {log.key.name: log.url for log in self.logs if log.url}
            self._check_addresses()
            self._read_so_far = {origin: self._stored(origin) for origin in self._cosigned}
        except BaseException:
            self.close()
            raise

    def _check_addresses(self) -> None:
        for origin in self._cosigned:
            if origin not in self._addresses:
                raise StateError(
                    f"{self.folder / 'logs'} says no address for {origin}: add the log's prefix"
                )

    def _examine(self, request: Request) -> None:
        new = request.checkpoint
        reading = self._reading_for(new.origin, new.size)
        try:
            is_done = self._advance(request, reading)
            if not is_done:
                self._ahead[new.origin] = reading
                raise Refused(Answer(503, f"read {reading.size} of {new.size} leaves; ask again\n"))
            reading.check_gaps()
        except FetchError as error:
            raise Refused(Answer(503, f"cannot read the log: {error}\n")) from None
        except RuleError as error:
            self._accuse_of(request, error, reading.size)
            raise Refused(Answer(422, f"rule {error.code}: {error}\n")) from None
        if Frontier(reading.size, reading.frontier).root() != new.root:
            self._accuse_of(request, RuleError("root", "its entries have another root"), None)
            raise Refused(Answer(422, "the log's entries are not those of the checkpoint\n"))
        self._store(new.origin, reading)

    def _reading_for(self, origin: str, size: int) -> Reading:
        """Where to go on: never beyond the size, never on what a refused reading left."""
        stored = msgspec.json.decode(self._read_so_far[origin], type=Reading)
        for reading in (self._ahead.pop(origin, stored), stored):
            if reading.size <= size:
                return reading
        return Reading()

    def _advance(self, request: Request, reading: Reading) -> bool:
        """Read on; false if time is up before the checkpoint's size."""
        until = time.monotonic() + READING_SECONDS
        for body in self._entries(request, reading.size):
            reading.take(body)
            if reading.size % WIDTH == 0 and time.monotonic() > until:
                break
        return reading.size == request.checkpoint.size

    def _entries(self, request: Request, start: int) -> Iterator[bytes]:
        """Leaves of the log under the checkpoint, from `start` on."""
        new = request.checkpoint
        for index in range(start // WIDTH, -(-new.size // WIDTH)):
            tile = Tile(ENTRIES, index, min(WIDTH, new.size - index * WIDTH))
            bodies = self._fetch(self._addresses[new.origin], tile)
            if len(bodies) != tile.width:
                raise FetchError(f"{tile.path} has {len(bodies)} leaves")
            yield from bodies[max(0, start - index * WIDTH) :]

    def _accuse_of(self, request: Request, error: RuleError, index: int | None) -> None:
        name = f"{request.checkpoint.size}-{error.code}"
        if self.evidence.has(name):
            return
        files = {"why": f"{error.code}: {error}\n", "shown.note": request.note.decode()}
        if index is not None and index < request.checkpoint.size:
            files["leaves"] = "\n".join(self._same_signal(request, index)) + "\n"
        self.evidence.keep(name, files)

    def _same_signal(self, request: Request, index: int) -> Iterator[str]:
        """Index and body of the leaves up to this one that are of the same signal."""
        bodies = list(self._entries(request, index - index % WIDTH))
        marker = _marker(bodies[index % WIDTH])
        for place, body in enumerate(self._entries(request, 0)):
            if place > index:
                return
            if _marker(body) == marker:
                yield f"{place} {body.decode(errors='backslashreplace')}"

    def _stored(self, origin: str) -> bytes:
        """What was read by the last cosigned checkpoint."""
        last = self._cosigned[origin]
        try:
            stored = read_sealed(self._reading_path(origin))
            reading = msgspec.json.decode(stored, type=Reading)
        except FileNotFoundError:
            return msgspec.json.encode(Reading())
        except msgspec.DecodeError as error:
            raise StateError(f"{self._reading_path(origin)} is malformed: {error}") from None
        # Written before the checkpoint's state: a crash between them leaves it ahead.
        if (
            reading.size == last.size
            and Frontier(reading.size, reading.frontier).root() == last.root
        ):
            return stored
        return msgspec.json.encode(Reading())

    def _store(self, origin: str, reading: Reading) -> None:
        self._read_so_far[origin] = msgspec.json.encode(reading)
        write_sealed(self._reading_path(origin), self._read_so_far[origin])

    def _reading_path(self, origin: str) -> Path:
        return state_path(self.folder, origin).with_suffix(".reading")


def _marker(body: bytes) -> str:
    try:
        return parse_leaf(body).sig
    except LeafError:
        return ""
