"""Instants in parameters: ISO 8601, and never without a time zone."""

from datetime import datetime

from api.problems import invalid_field


def instant(name: str, value: datetime | None) -> datetime | None:
    """The parameter as it is.

    Raises:
        Problem: invalid_request, the time has no zone.
    """
    if value is not None and value.tzinfo is None:
        raise invalid_field(name, "has no time zone; write UTC such as 2026-01-31T13:00:00Z")
    return value
