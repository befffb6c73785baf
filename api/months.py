"""Months in addresses and bodies: `2026-01`, UTC."""

import re
from datetime import UTC, date, datetime

from api.problems import invalid_field

FORM = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")


def month_of(name: str, text: str) -> date:
    """The first day of a month.

    Raises:
        Problem: invalid_request, the text is no month.
    """
    parts = FORM.fullmatch(text)
    if parts is None:
        raise invalid_field(name, "is no month; write it such as 2026-01")
    return date(int(parts[1]), int(parts[2]), 1)


def end_of(month: date) -> datetime:
    """Where a month ends, exclusive.

    >>> end_of(date(2026, 12, 1))
    datetime.datetime(2027, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    years, index = divmod(month.month, 12)
    return datetime(month.year + years, index + 1, 1, tzinfo=UTC)
