"""Versions as the registry has them, and what the log must say of each."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import psycopg

from assets.transparency.fsck_faults import Faults
from signalbox.log.leaves import LiveLeaf, OfflineLeaf, PriceLeaf, RetiredLeaf, VersionLeaf

STATES: dict[type, str] = {OfflineLeaf: "offline", LiveLeaf: "live", RetiredLeaf: "retired"}
SIGNALS = """
select g.id, p.handle || '/' || g.name from registry.signal g
join account.user_account p on p.id = g.provider_id
"""
VERSIONS = """
select v.id, v.signal_id, v.version, v.state, v.published_at, v.commit_sha, v.tree_digest,
       v.lock_digest, v.image_digest, v.base_digest, v.dependencies_digest, v.source_digest,
       v.manifest,
       'sha256:' || encode(sha256(convert_to(coalesce(v.sbom, ''), 'UTF8')), 'hex'),
       'sha256:' || encode(sha256(convert_to(coalesce(v.lock, ''), 'UTF8')), 'hex')
from registry.version v where v.published_at is not null order by v.id
"""
OFFERS = (
    "select signal_id, amount_minor, currency, trial_days, reveal_after_hours from billing.price"
)


@dataclass(frozen=True)
class Version:
    """A row of the registry that was ever live."""

    id: int
    signal_id: int
    version: str
    state: str
    published_at: datetime
    commit: str
    tree: str
    lock: str
    image: str
    base: str | None
    dependencies: str | None
    source: str | None
    manifest: dict[str, Any]
    sbom: str
    lock_text: str


@dataclass
class Registry:
    """What the walk compares leaves with, and remembers of them.

    Attributes:
        signals: `provider/name` by id.
        versions: by id.
        by_name: id by signal and version.
        leaves: index of a version's leaf, by the version's id.
        moved: what a leaf said last of its state, and its index, by the version's id.
    """

    signals: dict[int, str]
    versions: dict[int, Version]
    by_name: dict[tuple[int, str], int]
    offers: set[tuple[Any, ...]]
    leaves: dict[int, int] = field(default_factory=dict)
    moved: dict[int, tuple[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> Self:
        versions = {row[0]: Version(*row) for row in connection.execute(VERSIONS)}
        return cls(
            signals=dict(connection.execute(SIGNALS).fetchall()),
            versions=versions,
            by_name={(one.signal_id, one.version): one.id for one in versions.values()},
            offers=set(connection.execute(OFFERS).fetchall()),
        )

    def take_version(
        self, subject: str, index: int, signal_id: int, leaf: VersionLeaf, faults: Faults
    ) -> None:
        """Hold a version leaf against its row."""
        known = self.by_name.get((signal_id, leaf.ver))
        if known is None:
            faults.add(
                "version", subject, f"publishes {leaf.ver}, which the registry does not have"
            )
            return
        if known in self.leaves:
            faults.add("version", subject, f"publishes {leaf.ver} once more")
            return
        self.leaves[known] = index
        row = self.versions[known]
        for name, said, stored in (
            ("commit", leaf.commit, row.commit),
            ("tree", leaf.tree, row.tree),
            ("lock", leaf.lock, row.lock),
            ("img", leaf.img, row.image),
            ("base", leaf.base, row.base),
            ("sbom", leaf.sbom, row.sbom),
        ):
            if said != stored:
                faults.add("version", subject, f"says {name} {said}, the registry {stored}")

    def is_retired(self, version_id: int) -> bool:
        return self.moved.get(version_id, ("", 0))[0] == "retired"

    def take_move(
        self,
        subject: str,
        index: int,
        signal_id: int,
        leaf: OfflineLeaf | LiveLeaf | RetiredLeaf,
        faults: Faults,
    ) -> None:
        """Note what a leaf says of a version's state."""
        known = self.by_name.get((signal_id, leaf.ver))
        if known is None or known not in self.leaves:
            faults.add("order", subject, f"moves {leaf.ver}, which was never published")
        elif self.is_retired(known):
            faults.add("order", subject, f"moves {leaf.ver}, which was retired")
        else:
            self.moved[known] = (STATES[type(leaf)], index)

    def take_price(self, subject: str, signal_id: int, leaf: PriceLeaf, faults: Faults) -> None:
        """Hold a price leaf against the offers."""
        terms = (signal_id, leaf.amount_minor, leaf.currency, leaf.trial_days)
        if not any(offer[:4] == terms and leaf.reveal_after_hours in (None, offer[4])
                   for offer in self.offers):  # fmt: skip
            faults.add("price", subject, "states an offer that was never made")


def check_registry(registry: Registry, faults: Faults, *, whole: bool = True) -> None:
    """What the rows say of themselves; with the whole log walked, that each has its leaf."""
    for row in registry.versions.values():
        subject = f"version {registry.signals.get(row.signal_id)}@{row.version}"
        if whole and row.id not in registry.leaves:
            faults.add("version", subject, "is published but has no leaf")
        if row.lock != row.lock_text:
            faults.add("lock", subject, f"has a lock of {row.lock_text}, not {row.lock}")
        logged, _ = registry.moved.get(row.id, ("live", 0))
        if whole and logged != row.state:
            faults.add("state", subject, f"is {row.state}, but {logged} by the log")
