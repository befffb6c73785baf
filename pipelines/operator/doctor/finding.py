"""What the doctor says of one thing."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

State = Literal["ok", "warn", "miss"]


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at.

    Attributes:
        subject: what it is, in a word or two.
        state: `ok`; `warn`: it works, and should be otherwise; `miss`: the installation does
            not work, or is not safe, without it.
        said: what was seen.
        mend: what to do, in one line; nothing where all is well.
    """

    subject: str
    state: State
    said: str
    mend: str = ""


def ok(subject: str, said: str) -> Finding:
    return Finding(subject, "ok", said)


def warn(subject: str, said: str, mend: str) -> Finding:
    return Finding(subject, "warn", said, mend)


def miss(subject: str, said: str, mend: str) -> Finding:
    return Finding(subject, "miss", said, mend)


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """For people."""
    for finding in findings:
        mark = "MISS" if finding.state == "miss" else f"{finding.state:4}"
        yield f"{mark} {finding.subject}: {finding.said}"
        if finding.mend:
            yield f"     mend: {finding.mend}"
