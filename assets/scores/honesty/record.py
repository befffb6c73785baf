"""How long a record must be before a signal is ranked by it."""

from datetime import datetime

import msgspec

DAYS_AT_LEAST = 30
LIVE_SLOTS_AT_LEAST = 200


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """How long a record is, against what a rank takes.

    A rank (a figure that catalogues sort by) is given when both are reached. Figures of
    shorter records are shown with their intervals, and not ranked.

    Attributes:
        days: from the first live slot ever; of the signal or the version.
        live_slots: proven live in the period.
        days_at_least: what it takes.
        live_slots_at_least: likewise.
        reason: why there is no rank; None: there is one.
    """

    days: float
    live_slots: int
    days_at_least: int = DAYS_AT_LEAST
    live_slots_at_least: int = LIVE_SLOTS_AT_LEAST
    reason: str | None = None


def record_of(live_since: datetime | None, live_slots: int, as_of: datetime) -> Record:
    """The record as it is at `as_of`."""
    days = 0.0 if live_since is None else (as_of - live_since).total_seconds() / 86_400
    lacks = [
        f"{have} of {least} {what}"
        for have, least, what in (
            (int(days), DAYS_AT_LEAST, "days"),
            (live_slots, LIVE_SLOTS_AT_LEAST, "live slots"),
        )
        if have < least
    ]
    reason = f"the record is too short for a rank: {', '.join(lacks)}" if lacks else None
    return Record(days=max(days, 0.0), live_slots=live_slots, reason=reason)
