"""Months in addresses and bodies: `2026-01`, UTC."""

import re
from datetime import date

from api.problems import invalid_field

PATTERN = r"^(2[0-9]{3})-(0[1-9]|1[0-2])$(?!\n)"
FORM = re.compile(PATTERN)


def month_of(name: str, text: str) -> date:
    """The first day of a month.

    Raises:
        Problem: invalid_request, the text is no month.
    """
    parts = FORM.match(text)
    if parts is None:
        raise invalid_field(name, "is no month; write it such as 2026-01")
    return date(int(parts[1]), int(parts[2]), 1)
