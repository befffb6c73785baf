"""Faults, counted; the first of them kept."""

from collections import Counter
from dataclasses import dataclass, field

SHOWN = 50


@dataclass(frozen=True)
class Fault:
    """One thing that is not as it must be.

    Attributes:
        check: which kind of fault; docs/operations/fsck.md lists them.
        subject: what it was found at, such as `leaf 7`.
        problem: continues the subject to a sentence.
    """

    check: str
    subject: str
    problem: str

    def __str__(self) -> str:
        return f"{self.subject} {self.problem}"


@dataclass
class Faults:
    """Every fault counted, the first `SHOWN` kept."""

    total: int = 0
    by_check: Counter[str] = field(default_factory=Counter)
    shown: list[Fault] = field(default_factory=list)

    def add(self, check: str, subject: str, problem: str) -> None:
        self.total += 1
        self.by_check[check] += 1
        if len(self.shown) < SHOWN:
            self.shown.append(Fault(check, subject, problem))
