"""Is the log whole? Every leaf in place, every chain unbroken, every due record with its leaf."""

import hmac
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg

from signalbox.leaf import leaf_hash

LEAVES = """
select index, kind, signal_id, seq, body, leaf_hash from transparency.leaf order by index
"""
WITHOUT_LEAF = """
select r.id from forecast.slot_record r
where r.provenance in ('live', 'late', 'missed') and r.leaf_index is null
"""


@dataclass(frozen=True)
class Fault:
    """The first thing wrong with a leaf or record."""

    subject: str
    problem: str


def audit_log(connection: psycopg.Connection[Any]) -> tuple[int, list[Fault]]:
    """Read the whole log in order; returns the number of leaves and every fault."""
    faults: list[Fault] = []
    last: dict[int, tuple[int, bytes]] = {}
    count = 0
    with connection.transaction(), connection.cursor(name="leaves") as cursor:
        for index, kind, signal_id, seq, body, stored in cursor.execute(LEAVES):
            subject = f"leaf {index}"
            if index != count:
                faults.append(Fault(subject, f"stands where leaf {count} should"))
            count += 1
            if not hmac.compare_digest(leaf_hash(body), stored):
                faults.append(Fault(subject, "its hash is not that of its body"))
            faults += _chain_faults(subject, kind, seq, body, last.get(signal_id))
            last[signal_id] = (seq, stored)
    for (record_id,) in connection.execute(WITHOUT_LEAF):
        faults.append(Fault(f"slot record {record_id}", "is due but has no leaf"))
    return count, faults


def _chain_faults(
    subject: str, kind: str, seq: int, body: bytes, last: tuple[int, bytes] | None
) -> list[Fault]:
    said = msgspec.json.decode(body)
    expected = {
        "kind": kind,
        "seq": last[0] + 1 if last else 0,
        "prev": last[1].hex() if last else "",
    }
    faults = [
        Fault(subject, f"says {name} {said.get(name)!r}, not {value!r}")
        for name, value in expected.items()
        if said.get(name) != value
    ]
    if seq != expected["seq"]:
        faults.append(Fault(subject, f"has seq {seq} after {expected['seq']} was due"))
    return faults
