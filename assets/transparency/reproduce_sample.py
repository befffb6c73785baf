"""Which logged forecasts are computed again tonight, and what is written down of it.

Theory of operation: nobody may choose the sample. It follows from the date and from the log
as it was when that date began: its size and the hash of its newest leaf, which depends on
salts that were drawn when the leaf was written. Whoever holds the log can draw again and see
that these were the ones, all of them and no others. Each verdict is a row and, in the same
transaction, an `audit/v1` leaf in the chain of its signal: it cannot be taken back either. A
leaf that has its verdict for this draw is not run a second time.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import psycopg

from assets.installation import Installation
from assets.transparency.reproduce import Reproduction, reproduce_on
from sql.log import NewLeaf, append_leaves, hold_log

SAMPLE = 20
# A log that is mostly something else is looked through this often for each that is wanted.
TRIES = 50
WHY_CHARACTERS = 1000

LAST_BEFORE = """
select l.index + 1, l.leaf_hash from transparency.leaf l
where l.appended_at < %s order by l.index desc limit 1
"""
FORECASTS = """
select l.index from transparency.leaf l where l.index = any(%s) and l.kind = 'forecast/v1'
"""
INSERT = """
insert into transparency.reproduction (leaf_index, result, why, drawn_by, audit_leaf,
  reproduced_at, dagster_run_id)
values (%s, %s, %s, %s, %s, %s, %s)
"""
SIGNAL = "select l.signal_id from transparency.leaf l where l.index = %s"
TRIED = "select t.leaf_index from transparency.reproduction t where t.drawn_by = %s"


@dataclass(frozen=True)
class Draw:
    """What decides a sample.

    Attributes:
        day: UTC.
        size: how many leaves the log had when the day began.
        hash: leaf hash of the last of them.
    """

    day: date
    size: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.day} {self.size} {self.hash.hex()}"

    def positions(self) -> Iterator[int]:
        """Leaves in the order in which they are drawn, without end and with repetitions.

        The i-th is sha256("audit/v1" NUL, the draw as text, NUL, i in decimals), its first 16
        bytes as a big-endian number, modulo the size.
        """
        counter = 0
        while True:
            text = f"audit/v1\0{self}\0{counter}".encode()
            yield int.from_bytes(hashlib.sha256(text).digest()[:16], "big") % self.size
            counter += 1


def draw_of(connection: psycopg.Connection[Any], day: date) -> Draw | None:
    """The draw of a day; None where the log was empty when it began."""
    began = datetime.combine(day, time(), UTC)
    row = connection.execute(LAST_BEFORE, [began]).fetchone()
    return None if row is None else Draw(day, *row)


def sample(connection: psycopg.Connection[Any], draw: Draw, count: int = SAMPLE) -> list[int]:
    """Indices of forecast leaves, in the order drawn; all there are where they are fewer."""
    positions = draw.positions()
    tried = list(dict.fromkeys(next(positions) for _ in range(count * TRIES)))
    found = {index for (index,) in connection.execute(FORECASTS, [tried])}
    return [index for index in tried if index in found][:count]


def reproduce_sample(
    installation: Installation,
    day: date,
    *,
    count: int = SAMPLE,
    dagster_run_id: str | None = None,
) -> list[Reproduction]:
    """Compute the day's sample again and log what came of it; what has its verdict is left out.

    Raises:
        SandboxError: ours; what was logged before stays, the rest is drawn again next time.
    """
    with installation.connect() as connection, closing(installation.engine()) as engine:
        draw = draw_of(connection, day)
        if draw is None:
            return []
        done = {index for (index,) in connection.execute(TRIED, [str(draw)])}
        found = []
        for leaf in sample(connection, draw, count):
            if leaf not in done:
                verdict = reproduce_on(installation, connection, engine, leaf)
                store(connection, [verdict], draw, installation.clock(), dagster_run_id)
                found.append(verdict)
        return found


def store(
    connection: psycopg.Connection[Any],
    verdicts: Sequence[Reproduction],
    draw: Draw,
    now: datetime,
    dagster_run_id: str | None = None,
) -> None:
    """Write verdicts down with their leaves, in one transaction; two runs at once write one."""
    with connection.transaction():
        hold_log(connection)
        done = {index for (index,) in connection.execute(TRIED, [str(draw)])}
        for verdict in verdicts:
            if verdict.leaf in done:
                continue
            why = verdict.why[:WHY_CHARACTERS]
            row = connection.execute(SIGNAL, [verdict.leaf]).fetchone()
            assert row is not None  # noqa: S101 - it was read to be reproduced
            facts = {
                "sig": verdict.signal,
                "leaf": verdict.leaf,
                "reproduced": verdict.result == "reproduced",
                "why": why,
            }
            (leaf,) = append_leaves(connection, [NewLeaf("audit/v1", row[0], facts)], now)
            connection.execute(
                INSERT,
                [verdict.leaf, verdict.result, why, str(draw), leaf, now, dagster_run_id],
            )
