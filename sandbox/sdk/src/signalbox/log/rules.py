"""The rules that the leaves of one signal keep, read in order.

    chain      seq counts from 0 without gaps, prev is the hash of the leaf before
    version    a version is published once, and before anything else is said of it
    image      a forecast names its version's leaf and image
    twice      a version has one forecast or missed leaf for a slot, never two
    state      live and offline alternate; after retirement there is no leaf of a slot
    gap        between two slots of a version every hour has its leaf, unless it was offline

Leaves of caught-up hours may come late, so gaps are looked for when a reader stops
(`open_gaps`); everything else is refused where it stands.
"""

import itertools
from bisect import bisect_right
from collections.abc import Iterator
from typing import Literal

import msgspec

from signalbox.log.errors import RuleError
from signalbox.log.leaves import (
    HOUR,
    AuditLeaf,
    ForecastLeaf,
    Leaf,
    LiveLeaf,
    MissedLeaf,
    OfflineLeaf,
    PriceLeaf,
    RetiredLeaf,
    VersionLeaf,
)


class Pause(msgspec.Struct, forbid_unknown_fields=True):
    """A version was offline.

    Attributes:
        after: end of the slots that had a leaf when it began; None if there were none.
        offline: index of the leaf that began it.
        live: index of the leaf that ended it, if one did.
    """

    after: int | None
    offline: int
    live: int | None = None


class VersionState(msgspec.Struct, forbid_unknown_fields=True):
    """One version, as far as it was read.

    Attributes:
        leaf: index of its version leaf.
        taken: slots that have a leaf, as half-open periods in seconds since 1970.
        ended: index of the leaf that retired it.
    """

    leaf: int
    img: str
    state: Literal["live", "offline", "retired"] = "live"
    taken: list[tuple[int, int]] = msgspec.field(default_factory=list)
    pauses: list[Pause] = msgspec.field(default_factory=list)
    ended: int | None = None

    def claim(self, slot: int) -> bool:
        """Note that a slot has its leaf; false if it had one already."""
        place = bisect_right(self.taken, slot, key=lambda period: period[0])
        start, end = slot, slot + HOUR
        if place and self.taken[place - 1][1] > slot:
            return False
        if place < len(self.taken) and self.taken[place][0] == end:
            end = self.taken.pop(place)[1]
        if place and self.taken[place - 1][1] == start:
            place -= 1
            start = self.taken.pop(place)[0]
        self.taken.insert(place, (start, end))
        return True

    def pause_in(self, start: int, end: int) -> Pause | None:
        """The ended pause that began in or just after the slots [start, end)."""
        for pause in self.pauses:
            if pause.after is not None and start < pause.after <= end and pause.live is not None:
                return pause
        return None

    def open_gaps(self) -> Iterator[tuple[int, int]]:
        """Periods without a leaf between slots that have one, except pauses."""
        for (start, end), (following, _) in itertools.pairwise(self.taken):
            if self.pause_in(start, end) is None:
                yield end, following


class SignalState(msgspec.Struct, forbid_unknown_fields=True):
    """One signal, as far as it was read."""

    seq: int = -1
    prev: str = ""
    versions: dict[str, VersionState] = msgspec.field(default_factory=dict)

    def take(self, index: int, leaf: Leaf, leaf_hash: bytes) -> None:
        """Read the signal's next leaf.

        Raises:
            RuleError: the leaf breaks a rule; says which, and how.
        """
        self._check_chain(index, leaf)
        match leaf:
            case VersionLeaf():
                self._publish(index, leaf)
            case ForecastLeaf() | MissedLeaf():
                self._take_slot(index, leaf)
            case OfflineLeaf() | LiveLeaf() | RetiredLeaf():
                self._move(index, leaf)
            case AuditLeaf():
                if leaf.leaf >= index:
                    raise RuleError("version", f"leaf {index} audits leaf {leaf.leaf}, after it")
            case PriceLeaf():
                pass
        self.seq, self.prev = leaf.seq, leaf_hash.hex()

    def stand_alone(self, index: int, leaf: Leaf, leaf_hash: bytes) -> None:
        """Read a leaf whose predecessor is not shown; the chain goes on from it."""
        self.seq, self.prev = leaf.seq - 1, leaf.prev
        self.take(index, leaf, leaf_hash)

    def _check_chain(self, index: int, leaf: Leaf) -> None:
        if leaf.seq != self.seq + 1:
            raise RuleError(
                "chain", f"leaf {index} is number {leaf.seq} of {leaf.sig}, after {self.seq}"
            )
        if leaf.prev != self.prev:
            raise RuleError(
                "chain", f"leaf {index} does not name number {self.seq} of {leaf.sig} as the last"
            )

    def _publish(self, index: int, leaf: VersionLeaf) -> None:
        if leaf.ver in self.versions:
            raise RuleError("version", f"leaf {index} publishes {leaf.sig}@{leaf.ver} again")
        self.versions[leaf.ver] = VersionState(index, leaf.img)

    def _known(self, index: int, sig: str, ver: str) -> VersionState:
        version = self.versions.get(ver)
        if version is None:
            raise RuleError("version", f"leaf {index} is of {sig}@{ver}, which has no version leaf")
        if version.state == "retired":
            raise RuleError("state", f"leaf {index} is of {sig}@{ver}, which was retired before")
        return version

    def _take_slot(self, index: int, leaf: ForecastLeaf | MissedLeaf) -> None:
        version = self._known(index, leaf.sig, leaf.ver)
        if isinstance(leaf, ForecastLeaf) and (leaf.vl, leaf.img) != (version.leaf, version.img):
            raise RuleError(
                "image",
                f"leaf {index} ran {leaf.img} by leaf {leaf.vl}, but {leaf.sig}@{leaf.ver} is"
                f" {version.img} by leaf {version.leaf}",
            )
        if not version.claim(leaf.slot):
            raise RuleError(
                "twice", f"leaf {index} is the second of {leaf.sig}@{leaf.ver} at slot {leaf.slot}"
            )

    def _move(self, index: int, leaf: OfflineLeaf | LiveLeaf | RetiredLeaf) -> None:
        version = self._known(index, leaf.sig, leaf.ver)
        match leaf:
            case OfflineLeaf() if version.state == "live":
                version.state = "offline"
                version.pauses.append(Pause(version.taken[-1][1] if version.taken else None, index))
            case LiveLeaf() if version.state == "offline":
                version.state = "live"
                version.pauses[-1].live = index
            case RetiredLeaf():
                version.state, version.ended = "retired", index
            case _:
                raise RuleError("state", f"leaf {index}: {leaf.sig}@{leaf.ver} is {version.state}")
