"""A witness as in c2sp.org/tlog-witness: cosigns a log's checkpoints as long as it only grows.

Theory of operation: of each log the witness keeps the last checkpoint it cosigned. A new
one is cosigned if the log signed it and a consistency proof leads from the kept one to
it. The new state is on disk before the cosignature leaves, so that no crash lets the
witness vouch for two histories. What contradicts is refused, and kept as evidence: the
log's own signature is on it. One thread at a time decides, and one process holds the
folder.
"""

import base64
import fcntl
import hashlib
import hmac
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from signalbox.log.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from signalbox.log.cosignature import cosign
from signalbox.log.errors import LogError, NoteError, ProofError, StateError
from signalbox.log.evidence import EvidenceFolder
from signalbox.log.files import create_private, read_sealed, write_sealed
from signalbox.log.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from signalbox.log.note import COSIGNATURE, SignerKey, generate_key, parse_note, parse_skey
from signalbox.log.policy import NONE, Policy, parse_policy

MAX_PROOF_LINES = 63
PLAIN = "text/plain; charset=utf-8"
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True)
class Answer:
    """What a request is answered with."""

    status: int
    body: str
    content_type: str = PLAIN


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """The checkpoint is not cosigned."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.status)


@dataclass(frozen=True)
class Request:
    """A parsed add-checkpoint request."""

    old_size: int
    proof: tuple[bytes, ...]
    note: bytes
    checkpoint: Checkpoint


@dataclass(frozen=True)
class Status:
    """What a cosigner shows of itself.

    Attributes:
        logs: leaves cosigned, by origin.
        evidence: names of the cases it holds.
    """

    name: str
    vkey: str
    logs: dict[str, int]
    evidence: list[str]


class Cosigned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last checkpoint of a log that was cosigned.

    Attributes:
        note: as received; empty before the first.
    """

    origin: str
    size: int
    root: bytes
    note: str


def init_folder(folder: Path, name: str, policy: Policy) -> SignerKey:
    """Make a cosigner's folder: its key, the logs it follows, and what it has seen: nothing.

    Raises:
        FileExistsError: the folder has a key already.
        NoteError: the name cannot name a key.
    """
    key = generate_key(name, COSIGNATURE)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    create_private(folder / "key", key.skey + "\n")
    create_private(folder / "logs", Policy(policy.logs, quorum=NONE).text())
    for origin in {log.key.name for log in policy.logs}:
        begin_log(folder, origin)
    return key


def begin_log(folder: Path, origin: str) -> None:
    """Follow a log from its beginning."""
    nothing = Cosigned(origin, 0, EMPTY_ROOT, "")
    write_sealed(state_path(folder, origin), msgspec.json.encode(nothing))


def state_path(folder: Path, origin: str) -> Path:
    """Where the state of a log is kept."""
    return folder / f"state-{hashlib.sha256(origin.encode()).hexdigest()[:16]}"


class Witness:
    """Decides about checkpoints, and remembers them."""

    def __init__(self, folder: Path) -> None:
        """Open a folder that `init_folder` made.

        Raises:
            StateError: a file is missing or torn, or another process has the folder.
            LogError: the key or the list of logs is malformed.
        """
        self.folder = folder
        self.key = _read_key(folder)
        self.logs = parse_policy(_text(folder / "logs")).logs
        self.evidence = EvidenceFolder(folder / "evidence")
        self._hold = _hold(folder)
        self._deciding = threading.Lock()
        try:
            origins = sorted({log.key.name for log in self.logs})
            self._cosigned = {origin: self._read(origin) for origin in origins}
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process have the folder."""
        self._hold.close()

    def add_checkpoint(self, body: bytes, now: int) -> Answer:
        """Answer an add-checkpoint request.

        Args:
            body: as posted.
            now: seconds since 1970, UTC.
        """
        with self._deciding:
            try:
                request = self._parse(body)
                self._check(request)
                self._examine(request)
                self._keep(request)
            except Refused as refused:
                return refused.answer
            return Answer(200, cosign(self.key, request.checkpoint.text, now).line)

    def status(self) -> Status:
        """What it follows, how far, and what it holds against a log."""
        sizes = {origin: one.size for origin, one in self._cosigned.items()}
        return Status(self.key.name, self.key.verifier.vkey, sizes, self.evidence.names())

    def _parse(self, body: bytes) -> Request:
        head, gap, note = body.partition(b"\n\n")
        old, *lines = head.decode("ascii", "replace").split("\n")
        marker, _, number = old.partition(" ")
        is_number = number.isascii() and number.isdecimal() and str(int(number)) == number
        if not gap or marker != "old" or not is_number or len(lines) > MAX_PROOF_LINES:
            raise Refused(Answer(400, "say old <size>, up to 63 hashes, an empty line, a note\n"))
        try:
            proof = tuple(base64.b64decode(line, validate=True) for line in lines)
            checkpoint = parse_checkpoint(parse_note(note).text)
        except ValueError as error:
            raise Refused(Answer(400, f"{error}\n")) from None
        if any(len(one) != HASH_BYTES for one in proof):
            raise Refused(Answer(400, "a line of the proof is no hash\n"))
        return Request(int(number), proof, note, checkpoint)

    def _check(self, request: Request) -> None:
        """In the order of the specification."""
        new = request.checkpoint
        if new.origin not in self._cosigned:
            raise Refused(Answer(404, f"the log {new.origin!r} is not followed here\n"))
        try:
            open_checkpoint(request.note, [log.key for log in self.logs])
        except NoteError as error:
            raise Refused(Answer(403, f"{error}\n")) from None
        if request.old_size > new.size:
            raise Refused(Answer(400, f"old size {request.old_size} is above {new.size}\n"))
        last = self._cosigned[new.origin]
        if request.old_size != last.size:
            if new.size == last.size and not hmac.compare_digest(new.root, last.root):
                self._accuse(last, request, "two roots for one size")
            raise Refused(Answer(409, f"{last.size}\n", SIZE_TYPE))
        if new.size == last.size and not hmac.compare_digest(new.root, last.root):
            self._accuse(last, request, "two roots for one size")
            raise Refused(Answer(409, f"{last.size}\n", SIZE_TYPE))
        try:
            verify_consistency(last.size, last.root, new.size, new.root, request.proof)
        except ProofError as error:
            self._accuse(last, request, "no proof that it extends what was seen")
            raise Refused(Answer(422, f"{error}\n")) from None

    def _examine(self, request: Request) -> None:
        """What a monitor looks at besides."""

    def _keep(self, request: Request) -> None:
        new = request.checkpoint
        kept = Cosigned(new.origin, new.size, new.root, request.note.decode())
        write_sealed(state_path(self.folder, new.origin), msgspec.json.encode(kept))
        self._cosigned[new.origin] = kept

    def _accuse(self, last: Cosigned, request: Request, why: str) -> None:
        new = request.checkpoint
        self.evidence.keep(
            f"{new.size}-{new.root.hex()[:12]}",
            {"why": f"{why}\n", "seen.note": last.note, "shown.note": request.note.decode()},
        )

    def _read(self, origin: str) -> Cosigned:
        path = state_path(self.folder, origin)
        try:
            kept = msgspec.json.decode(read_sealed(path), type=Cosigned)
        except FileNotFoundError:
            raise StateError(
                f"{path} is missing: what this cosigner saw of {origin} is lost, so its key must"
                " not sign again. Make a new one in another folder, and have policies name that"
            ) from None
        except msgspec.DecodeError as error:
            raise StateError(f"{path} is no state of a cosigner: {error}") from None
        if kept.origin != origin:
            raise StateError(f"{path} is of the log {kept.origin}, not {origin}")
        return kept


def _hold(folder: Path) -> IO[str]:
    """An exclusive lock on a folder, gone with the process."""
    file = (folder / "lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise StateError(f"another process has {folder}: stop it first") from None
    return file


def _read_key(folder: Path) -> SignerKey:
    path = folder / "key"
    text = _text(path)
    if path.stat().st_mode & 0o077:
        raise StateError(f"{path} can be read by others: chmod 600 {path}")
    key = parse_skey(text)
    if key.type != COSIGNATURE:
        raise LogError(f"{path} is not the key of a cosigner: run signalbox witness init")
    return key


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        raise StateError(f"{path} is missing: run signalbox witness init") from None
