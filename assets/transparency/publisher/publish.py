"""One step: what is new in the log becomes a signed checkpoint."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from assets.transparency.publisher.tree import grow, stored_tree
from assets.transparency.signer.signer import RESTORED, SignerState, Signs
from signalbox.log.checkpoint import Checkpoint
from signalbox.log.merkle import consistency_proof, tree_root
from signalbox.log.note import Note, parse_note
from signalbox.log.policy import NONE, Policy, open_evidence, own_word_policy

AT_ONCE = 2**18  # leaves of one checkpoint, to bound memory where many wait
SIZES = "select leaves, checkpoint_size from transparency.coverage"
CHECKPOINT = """
insert into transparency.checkpoint (origin, size, root, note, signed_at)
values (%s, %s, %s, %s, %s) returning id
"""
COSIGNATURE = """
insert into transparency.cosignature (checkpoint_id, key_name, key_hash, timestamp, line,
                                      received_at)
values (%s, %s, %s, %s, %s, %s) on conflict do nothing
"""
QUORUM = """
insert into transparency.quorum (checkpoint_id, size, reached_at, policy) values (%s, %s, %s, %s)
on conflict do nothing
"""


class RestoredLogError(RuntimeError):
    """The log holds fewer leaves than were signed."""


@dataclass(frozen=True)
class Signed:
    """A stored checkpoint.

    Attributes:
        note: with the cosignatures that came so far.
        has_quorum: whether the policy is satisfied.
    """

    id: int
    size: int
    note: Note
    has_quorum: bool


def publish(
    connection: psycopg.Connection[Any],
    signer: Signs,
    policy: Policy | None,
    now: datetime,
    *,
    again: bool = False,
) -> Signed | None:
    """Store tiles and checkpoint of what was appended since; None where nothing was.

    Args:
        connection: autocommit, as `signalbox_log`.
        signer: asked for the signature within the transaction.
        policy: whose quorum counts; None: the log's own word.
        now: UTC.
        again: sign the same tree anew where nothing was appended, to show that the
            log is alive.

    Raises:
        RestoredLogError: leaves that were signed are gone.
        RefusedError: the signer will not sign this tree.
        SignerUnavailableError: it does not answer; the next step makes up for it.
    """
    with connection.transaction():
        leaves, last = _sizes(connection)
        state = signer.state()
        if leaves < state.size:
            raise RestoredLogError(
                f"the log has {leaves} leaves, but {state.size} were signed. {RESTORED}"
            )
        size = max(min(leaves, last + AT_ONCE), state.size)
        is_first = not _any_checkpoint(connection)
        if size == last and not again and not is_first:
            return None
        grow(connection, last, size)
        checkpoint, note = _sign(connection, signer, state, size)
        (id_,) = _one(
            connection,
            CHECKPOINT,
            [checkpoint.origin, size, checkpoint.root, note.encode(), now],
        )
        signed = Signed(id_, size, note, has_quorum=False)
        return settle(connection, signed, policy or own_word_policy(state.keys), now)


def settle(
    connection: psycopg.Connection[Any], signed: Signed, policy: Policy, now: datetime
) -> Signed:
    """Store the quorum of a checkpoint if its signatures make one."""
    evidence = open_evidence(signed.note.encode(), policy, require_quorum=False)
    at = evidence.reached_at
    if at is None and policy.quorum != NONE:
        return signed
    reached_at = now if at is None else datetime.fromtimestamp(at, UTC)
    connection.execute(QUORUM, [signed.id, signed.size, reached_at, policy.text()])
    return Signed(signed.id, signed.size, signed.note, has_quorum=True)


def newest(connection: psycopg.Connection[Any]) -> Signed | None:
    """The newest checkpoint, with what was signed of it so far."""
    row = connection.execute(
        "select id, size, note, reached_at is not null from transparency.signed_note"
        " order by id desc limit 1"
    ).fetchone()
    if row is None:
        return None
    id_, size, note, has_quorum = row
    return Signed(id_, size, parse_note(note), has_quorum)


def _sign(
    connection: psycopg.Connection[Any], signer: Signs, state: SignerState, size: int
) -> tuple[Checkpoint, Note]:
    read = stored_tree(connection, size)
    checkpoint = Checkpoint(state.origin, size, tree_root(size, read))
    proof = consistency_proof(state.size, size, read)
    return checkpoint, parse_note(signer.sign(checkpoint.text, state.size, proof))


def _sizes(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    leaves, last = _one(connection, SIZES, [])
    return int(leaves), int(last)


def _any_checkpoint(connection: psycopg.Connection[Any]) -> bool:
    return bool(_one(connection, "select exists (select from transparency.checkpoint)", [])[0])


def _one(connection: psycopg.Connection[Any], query: str, values: list[Any]) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query, values).fetchone()
    assert row is not None  # noqa: S101 - each of these always answers
    return row
