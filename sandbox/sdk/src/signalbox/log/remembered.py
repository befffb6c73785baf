"""The last checkpoint of each log that this reader believed.

A log that shows less, or another past, than it showed before is caught by this file
alone, whoever cosigned. Both notes are then kept beside it: they are the proof.
"""

import base64
import hmac
from pathlib import Path

import msgspec

from signalbox.log.checkpoint import Checkpoint, parse_checkpoint
from signalbox.log.errors import StateError, VerificationError
from signalbox.log.files import create_private, read_sealed, write_sealed
from signalbox.log.note import parse_note
from signalbox.log.verify import Report


class Remembered:
    """What is remembered, by the origin of the log."""

    def __init__(self, path: Path) -> None:
        """Read the file, if it is there.

        Raises:
            StateError: it is torn, or of something else.
        """
        self._path = path
        try:
            self._notes = msgspec.json.decode(read_sealed(path), type=dict[str, str])
        except FileNotFoundError:
            self._notes = {}
        except msgspec.DecodeError as error:
            raise StateError(f"{path} does not hold checkpoints: {error}") from None

    def size_of(self, origin: str) -> int:
        """How large the log was; 0 if it was never seen."""
        last = self._last(origin)
        return last.size if last else 0

    def check(self, report: Report, note: str) -> None:
        """Does the bundle extend what was seen before?

        Args:
            report: of the verified bundle.
            note: its checkpoint.

        Raises:
            VerificationError: rollback, fork, or no proof of neither.
        """
        seen, last = report.checkpoint, self._last(report.checkpoint.origin)
        if last is None:
            return
        if seen.size < last.size:
            raise VerificationError(
                "rollback",
                f"the log showed {last.size} leaves before, and {seen.size} now: download again;"
                f" if that stays so, the log was rolled back ({self._keep(last, note)})",
            )
        root = seen.root if seen.size == last.size else report.older_roots.get(last.size)
        if root is None and last.size:
            raise VerificationError(
                "extension",
                f"the bundle does not show that it extends the tree of {last.size} leaves that you"
                f" saw: download it with known={last.size}",
            )
        if last.size and root is not None and not hmac.compare_digest(root, last.root):
            raise VerificationError(
                "fork",
                f"the first {last.size} leaves of the log are others than before: it shows"
                f" different people different things ({self._keep(last, note)})",
            )

    def store(self, note: str) -> None:
        """Remember a checkpoint that was believed."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._notes[parse_checkpoint(parse_note(note.encode()).text).origin] = note
        write_sealed(self._path, msgspec.json.encode(self._notes, order="sorted"))

    def _last(self, origin: str) -> Checkpoint | None:
        note = self._notes.get(origin)
        return parse_checkpoint(parse_note(note.encode()).text) if note else None

    def _keep(self, last: Checkpoint, note: str) -> str:
        """Put both notes beside the file; returns where, for people."""
        folder = self._path.parent / f"{self._path.name}.conflicts"
        folder.mkdir(parents=True, exist_ok=True)
        for kept in (self._notes[last.origin], note):
            one = parse_checkpoint(parse_note(kept.encode()).text)
            root = base64.urlsafe_b64encode(one.root[:6]).decode()
            try:
                create_private(folder / f"{one.size}-{root}.note", kept)
            except FileExistsError:
                continue
        return f"both notes are in {folder}"
