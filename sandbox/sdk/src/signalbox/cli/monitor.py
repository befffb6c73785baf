"""`signalbox monitor`: read every leaf of a log, and cosign only if its rules are kept."""

from pathlib import Path

from signalbox.cli.witness import cosigner
from signalbox.log.monitor import Monitor
from signalbox.log.serving import fetch_entries


def _opens(folder: Path) -> Monitor:
    return Monitor(folder, fetch_entries)


monitor = cosigner(
    "monitor", "Read every leaf of a log, and cosign only if its rules are kept.", _opens
)
