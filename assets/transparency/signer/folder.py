"""The signer's folder: keys in files of mode 0600, and the state that survives a crash.

A file is written whole beside its name, synced, renamed, and the folder synced:
what a name stands for is the old content or the new one. The state carries its own
checksum, so that a disk that lies about it is noticed.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from assets.transparency.signer.errors import RefusedError
from signalbox.log.errors import NoteError
from signalbox.log.merkle import EMPTY_ROOT
from signalbox.log.note import SignerKey, generate_key, parse_skey

KEY, RETIRED, STATE = ".skey", ".retired", "state"
RECOVER = (
    "Do not start over: two histories under one key would prove the log false. Fetch the newest"
    " checkpoint that anybody has (GET /log/checkpoint, a witness, a subscriber's state file) and"
    " call: signalbox signer recover --checkpoint FILE --yes. See docs/operations/log.md."
)


class State(NamedTuple):
    """The last tree signed."""

    size: int
    root: bytes


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: int
    root: str
    sum: str


class SignerFolder:
    """Keys and state on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self, origin: str) -> None:
        """Make key and state of a new log; does nothing where there is a key.

        Args:
            origin: name of the log and of its key.
        """
        if any(self._key_files(KEY)) or any(self._key_files(RETIRED)):
            return
        # The state first: a key without one means that it was lost.
        self.keep(State(0, EMPTY_ROOT))
        self._write(f"1{KEY}", generate_key(origin).skey + "\n")

    def signing_keys(self) -> list[SignerKey]:
        """The keys that sign, oldest first.

        Raises:
            RefusedError: there is none, others may read it, or it is damaged.
        """
        found = [self._key(path) for path in self._key_files(KEY)]
        if not found:
            raise RefusedError("no_key", f"no key in {self.path}: restore it from its backup")
        return found

    def rotate(self) -> SignerKey:
        """Make the next key, of the same name; from now on all of them sign."""
        numbers = [int(path.stem) for suffix in (KEY, RETIRED) for path in self._key_files(suffix)]
        key = generate_key(self.signing_keys()[-1].name)
        self._write(f"{max(numbers) + 1}{KEY}", key.skey + "\n")
        return key

    def retire(self) -> SignerKey:
        """The oldest key signs no more.

        Raises:
            ValueError: it is the only one.
        """
        keys = self.signing_keys()
        if len(keys) == 1:
            raise ValueError("only one key signs: make the next one first, signalbox signer rotate")
        oldest = next(self._key_files(KEY))
        oldest.rename(oldest.with_suffix(RETIRED))
        self._sync()
        return keys[0]

    def state(self) -> State:
        """What was signed last.

        Raises:
            RefusedError: no_state: the file is gone or torn.
        """
        try:
            kept = msgspec.json.decode((self.path / STATE).read_bytes(), type=_Kept)
            state = State(kept.size, bytes.fromhex(kept.root))
        except FileNotFoundError:
            raise RefusedError("no_state", f"{self.path / STATE} is gone. {RECOVER}") from None
        except (msgspec.DecodeError, ValueError):
            raise RefusedError("no_state", f"{self.path / STATE} is torn. {RECOVER}") from None
        if kept.sum != _sum(state):
            raise RefusedError("no_state", f"{self.path / STATE} is torn. {RECOVER}")
        return state

    def keep(self, state: State) -> None:
        """Write what is about to be signed; returns when it is on disk."""
        kept = _Kept(state.size, state.root.hex(), _sum(state))
        self._write(STATE, msgspec.json.encode(kept).decode())

    def _key_files(self, suffix: str) -> Iterator[Path]:
        return iter(sorted(self.path.glob(f"*{suffix}"), key=lambda path: int(path.stem)))

    def _key(self, path: Path) -> SignerKey:
        if path.stat().st_mode & 0o077:
            raise RefusedError("no_key", f"others may read {path}: chmod 600 it, and rotate")
        try:
            return parse_skey(path.read_text())
        except NoteError as error:
            raise RefusedError("no_key", f"{path}: {error}; restore it from its backup") from None

    def _write(self, name: str, content: str) -> None:
        path, folder = self.path / name, self.path.stat()
        temporary = path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            if os.geteuid() == 0:
                os.fchown(descriptor, folder.st_uid, folder.st_gid)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        self._sync()

    def _sync(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sum(state: State) -> str:
    return hashlib.sha256(f"{state.size} {state.root.hex()}".encode()).hexdigest()
