"""Where a version's random numbers come from: from its name and the slot alone."""

import hashlib
from datetime import UTC, datetime


def version_seed(version_label: str) -> int:
    """The seed of a version, 64 bits."""
    return _seed(version_label)


def slot_seed(version_label: str, as_of: datetime) -> int:
    """The seed of one slot of a version, 64 bits.

    >>> slot_seed("ada/momentum v1.0.0", datetime(2026, 1, 1, tzinfo=UTC))
    18084168575852553441
    """
    return _seed(f"{version_label}|{as_of.astimezone(UTC).isoformat()}")


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
