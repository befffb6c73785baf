"""Check a bundle of evidence against a policy, offline, and name the first thing wrong.

Theory of operation: the policy's keys vouch for one checkpoint. One walk of the tree
under its root proves that every leaf shown is in it, and yields the roots of the older
trees that dating checkpoints speak of: whoever cosigned one of those saw its leaves at
that time, because they are a beginning of the same tree. The leaves of the signal are
chained and numbered, so none is left out between two; and an hour without a leaf stands
out against the times. What is paid for is hidden behind commitments, and openings show
it. Remembering the last checkpoint (`signalbox.log.remembered`) ties this to before.
"""

import base64
import hmac
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from signalbox.commitment import SALT_BYTES, commit
from signalbox.leaf import leaf_hash
from signalbox.log.bundle import Bundle
from signalbox.log.checkpoint import MAX_SIZE, Checkpoint, parse_checkpoint
from signalbox.log.cosignature import cosigned_at
from signalbox.log.errors import (
    BundleError,
    CheckpointError,
    LeafError,
    NoteError,
    ProofError,
    QuorumError,
    RuleError,
    VerificationError,
)
from signalbox.log.leaves import ForecastLeaf, Leaf, MissedLeaf, parse_leaf
from signalbox.log.multiproof import verify_multiproof
from signalbox.log.note import Note, parse_note
from signalbox.log.policy import Evidence, Policy, open_evidence
from signalbox.log.rules import SignalState
from signalbox.log.slots import Counts, Dates, datetime_of, first_missing, paused_hours, spell

LIVE_DEADLINE = 600  # seconds after the slot
MAX_AGE = 24 * 3600  # seconds
SKEW = 300  # seconds that a cosigner's clock may run ahead
THREADS = os.cpu_count() or 1


@dataclass(frozen=True)
class Terms:
    """What the reader asks for; times in seconds, since 1970 where they are instants.

    Attributes:
        policy: whom to believe.
        now: the present.
        max_age: of the checkpoint; None: any.
        live_deadline: after the slot; a forecast is live if its quorum was reached by then.
    """

    policy: Policy
    now: int
    max_age: int | None = MAX_AGE
    live_deadline: int = LIVE_DEADLINE


@dataclass
class Report:
    """What was shown; instants in seconds since 1970, UTC.

    Attributes:
        trust: what the policy's quorum is worth, for people.
        dated_at: when the checkpoint's quorum was reached; None where the policy asks for none.
        older_roots: of the trees in the bundle's `known`.
        since, until: the part that the bundle claims to show; None: all.
        first_slot, last_slot: of the leaves shown; None if there are none.
        versions: counts by version.
    """

    signal: str
    checkpoint: Checkpoint
    trust: str
    dated_at: int | None
    leaves: int
    older_roots: Mapping[int, bytes]
    since: int | None
    until: int | None
    first_slot: int | None
    last_slot: int | None
    versions: dict[str, Counts] = field(default_factory=dict)

    @property
    def total(self) -> Counts:
        names = vars(Counts())
        return Counts(
            **{name: sum(vars(one)[name] for one in self.versions.values()) for name in names}
        )


@dataclass(frozen=True)
class _Shown:
    index: int
    leaf: Leaf
    hash: bytes


def verify_bundle(bundle: Bundle, terms: Terms) -> Report:
    """Check everything that a bundle claims, in the order of `docs/subscriber/verify.md`.

    Raises:
        VerificationError: the first thing that does not hold.
    """
    try:
        evidence = _open_head(bundle, terms.policy)
        _check_freshness(evidence, terms)
        shown = _read_leaves(bundle)
        notes = [parse_note(note.encode()) for note in bundle.dating]
        dating = [parse_checkpoint(note.text) for note in notes]
        roots = _prove(bundle, evidence.checkpoint, shown, dating)
        state = _read_in_order(bundle, shown)
        dates = _date(evidence, dating, notes, terms.policy)
        opened = _open(bundle, shown)
        _check_images(bundle, state)
        report = _report(bundle, evidence, terms.policy, shown, roots)
        _count(report, shown, dates, opened, terms)
        _check_complete(report, state, dates)
    except RuleError as error:
        raise VerificationError(error.code, str(error)) from None
    except (BundleError, CheckpointError, NoteError) as error:
        raise VerificationError("malformed", str(error)) from None
    return report


def _open_head(bundle: Bundle, policy: Policy) -> Evidence:
    try:
        return open_evidence(bundle.checkpoint.encode(), policy)
    except CheckpointError as error:
        raise VerificationError("log", str(error)) from None
    except NoteError as error:
        raise VerificationError("signature", str(error)) from None
    except QuorumError as error:
        raise VerificationError("quorum", str(error)) from None


def _check_freshness(evidence: Evidence, terms: Terms) -> None:
    dated = evidence.reached_at
    if dated is None:
        if terms.max_age is not None:
            raise VerificationError(
                "stale",
                "the policy asks for no quorum, so nothing says how old this is: name a quorum in"
                " the policy, or accept any age",
            )
        return
    if dated > terms.now + SKEW:
        raise VerificationError("future", f"the checkpoint is dated ahead, {spell(dated)}")
    if terms.max_age is not None and dated < terms.now - terms.max_age:
        raise VerificationError(
            "stale",
            f"the checkpoint is of {spell(dated)}, older than is accepted: download it again",
        )


def _read_leaves(bundle: Bundle) -> list[_Shown]:
    shown: list[_Shown] = []
    for index, body in bundle.leaves:
        try:
            leaf = parse_leaf(body.encode())
        except LeafError as error:
            raise VerificationError("leaf", f"leaf {index}: {error}") from None
        if leaf.sig != bundle.signal:
            raise VerificationError("leaf", f"leaf {index} is of {leaf.sig}, not {bundle.signal}")
        if shown and index <= shown[-1].index:
            raise VerificationError("leaf", f"leaf {index} stands after {shown[-1].index}")
        shown.append(_Shown(index, leaf, leaf_hash(body.encode())))
    if not shown:
        raise VerificationError("leaf", f"the bundle shows no leaf of {bundle.signal}")
    return shown


def _prove(
    bundle: Bundle, head: Checkpoint, shown: Sequence[_Shown], dating: Sequence[Checkpoint]
) -> Mapping[int, bytes]:
    """Roots of the older trees, all of them beginnings of the one under the checkpoint."""
    for older in dating:
        if older.origin != head.origin:
            raise VerificationError("log", f"a checkpoint of log {older.origin!r} dates leaves")
    sizes = [*(older.size for older in dating), *bundle.known]
    hashes = {one.index: one.hash for one in shown}
    try:
        roots = verify_multiproof(head.size, head.root, hashes, sizes, bundle.hashes)
    except ProofError as error:
        raise VerificationError("inclusion", str(error)) from None
    for older in dating:
        if not hmac.compare_digest(roots[older.size], older.root):
            raise VerificationError(
                "consistency",
                f"the checkpoint of size {older.size} is of another history than that of size"
                f" {head.size}",
            )
    return {size: roots[size] for size in bundle.known}


def _read_in_order(bundle: Bundle, shown: Sequence[_Shown]) -> SignalState:
    """Keep the log's rules; before the first slot of a part, leaves stand alone."""
    state = SignalState()
    is_beginning = bundle.since is not None
    for one in shown:
        if is_beginning and one.leaf.seq > state.seq + 1:
            state.stand_alone(one.index, one.leaf, one.hash)
        else:
            state.take(one.index, one.leaf, one.hash)
        is_beginning = is_beginning and not isinstance(one.leaf, ForecastLeaf | MissedLeaf)
    return state


def _date(
    evidence: Evidence, dating: Sequence[Checkpoint], notes: Sequence[Note], policy: Policy
) -> Dates:
    """Check the cosignatures of dating checkpoints; one without its quorum dates nothing.

    Their roots are proved already, so the log's own signature would add nothing.
    """

    def reached(note: Note) -> int | None:
        times = {name: cosigned_at(note, one.key) for name, one in policy.witnesses.items()}
        return policy.reached({name: time for name, time in times.items() if time is not None})

    try:
        with ThreadPoolExecutor(THREADS) as threads:
            found = list(threads.map(reached, notes))
    except NoteError as error:
        raise VerificationError("signature", f"of a dating checkpoint: {error}") from None
    times = {older.size: time for older, time in zip(dating, found, strict=True) if time}
    if evidence.reached_at is not None:
        times[evidence.checkpoint.size] = evidence.reached_at
    return Dates(times)


def _open(bundle: Bundle, shown: Sequence[_Shown]) -> set[int]:
    """Indices of the forecasts that were opened."""
    forecasts = {one.index: one.leaf for one in shown if isinstance(one.leaf, ForecastLeaf)}
    opened = set()
    for index, salt, payload in bundle.openings:
        leaf = forecasts.get(index)
        if leaf is None:
            raise VerificationError("commitment", f"leaf {index} is no forecast, but is opened")
        if not _opens(leaf, salt, payload):
            raise VerificationError(
                "commitment",
                f"leaf {index} did not commit to the forecasts shown for {spell(leaf.slot)}",
            )
        opened.add(index)
    return opened


def _opens(leaf: ForecastLeaf, salt_text: str, payload: str) -> bool:
    try:
        salt = base64.b64decode(salt_text, validate=True)
    except ValueError:
        return False
    if len(salt) != SALT_BYTES:
        return False
    told = commit(leaf.sig, datetime_of(leaf.slot), salt, payload.encode())
    return hmac.compare_digest(told.hex(), leaf.c)


def _check_images(bundle: Bundle, state: SignalState) -> None:
    for name, image in bundle.images.items():
        version = state.versions.get(name)
        if version is None or version.img != image:
            logged = version.img if version else "no version leaf"
            raise VerificationError("image", f"{name} is said to run {image}; logged is {logged}")


def _report(
    bundle: Bundle,
    evidence: Evidence,
    policy: Policy,
    shown: Sequence[_Shown],
    roots: Mapping[int, bytes],
) -> Report:
    slots = [one.leaf.slot for one in shown if isinstance(one.leaf, ForecastLeaf | MissedLeaf)]
    return Report(
        signal=bundle.signal,
        checkpoint=evidence.checkpoint,
        trust=policy.summary,
        dated_at=evidence.reached_at,
        leaves=len(shown),
        older_roots=roots,
        since=bundle.since,
        until=bundle.until,
        first_slot=min(slots, default=None),
        last_slot=max(slots, default=None),
    )


def _count(
    report: Report, shown: Sequence[_Shown], dates: Dates, opened: set[int], terms: Terms
) -> None:
    for one in shown:
        if isinstance(one.leaf, ForecastLeaf | MissedLeaf):
            counts = report.versions.setdefault(one.leaf.ver, Counts())
            counts.count(one.leaf, dates.of(one.index), terms.live_deadline)
            counts.unopened += isinstance(one.leaf, ForecastLeaf) and one.index not in opened


def _check_complete(report: Report, state: SignalState, dates: Dates) -> None:
    part = (report.since or 0, MAX_SIZE if report.until is None else report.until)
    for name, version in state.versions.items():
        missing = first_missing(version, dates, report.dated_at, part)
        if missing is not None:
            raise VerificationError(
                "gap", f"{report.signal}@{name} owed a leaf for {spell(missing)} and shows none"
            )
        report.versions.setdefault(name, Counts()).paused = paused_hours(version)
