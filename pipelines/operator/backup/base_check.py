"""Is a base backup what the server sent? As `pg_verifybackup`, which not every machine has.

The server lists each file with its sha256 in `backup_manifest`, seals that list with one more,
and names the stretch of the write-ahead log without which the copy is not consistent. What a
file's bytes hash to is in our own manifest already: nothing is read twice.
"""

import hashlib
import subprocess
from pathlib import Path

import msgspec

from pipelines.operator.backup.manifest import Manifest
from pipelines.operator.backup.postgres import programs_of

SEAL = b'"Manifest-Checksum"'


class _File(msgspec.Struct, rename={"path": "Path", "checksum": "Checksum"}):
    checksum: str
    path: str = ""


class _Range(
    msgspec.Struct, rename={"timeline": "Timeline", "start": "Start-LSN", "end": "End-LSN"}
):
    timeline: int
    start: str
    end: str


class _Listed(
    msgspec.Struct,
    rename={"files": "Files", "ranges": "WAL-Ranges", "seal": "Manifest-Checksum"},
):
    files: list[_File]
    ranges: list[_Range]
    seal: str


def base_faults(base: Path, manifest: Manifest) -> list[str]:
    """Every fault in words: a list that was changed, files that differ, a log that has a gap."""
    try:
        text = (base / "backup_manifest").read_bytes()
        listed = msgspec.json.decode(text, type=_Listed)
    except (OSError, msgspec.MsgspecError) as error:
        return [f"postgres/backup_manifest cannot be read: {error}"]
    faults = []
    if hashlib.sha256(text[: text.rindex(SEAL)]).hexdigest() != listed.seal:
        faults.append("postgres/backup_manifest was altered")
    ours = {name: file.sha256 for name, file in manifest.files.items()}
    faults += [
        f"postgres/{file.path} is not what the server sent"
        for file in listed.files
        if ours.get(f"postgres/{file.path}") != file.checksum
    ]
    waldump = programs_of(manifest.postgres_major) / "pg_waldump"
    if waldump.exists():  # it is in the server's package, not in the clients'
        faults += [fault for one in listed.ranges if (fault := _gap(waldump, base, one))]
    return faults


def _gap(waldump: Path, base: Path, one: _Range) -> str | None:
    done = subprocess.run(
        [waldump, "--quiet", "--path", base / "pg_wal", "--timeline", str(one.timeline),
         "--start", one.start, "--end", one.end],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return f"the write-ahead log from {one.start} to {one.end}: {done.stderr.strip()}"
    return None
