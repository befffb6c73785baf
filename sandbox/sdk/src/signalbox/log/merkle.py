"""Merkle trees as in RFC 6962 section 2.1, proofs as in RFC 9162 section 2.1.

Theory of operation: the tree of n leaves splits at the largest power of two
below n. A span [start, end) of leaves that occurs in it is made of complete
subtrees, each known by its address (level, index): the hash over leaves
[index * 2**level, (index + 1) * 2**level). Complete subtrees never change as a
log grows, so a store of them, behind a `HashReader`, yields every proof.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence

from signalbox.log.errors import ProofError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Address = tuple[int, int]
Span = tuple[int, int]
HashReader = Callable[[Sequence[Address]], Sequence[bytes]]


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(width: int) -> int:
    """The largest power of two below `width`, which is at least 2."""
    return 1 << (width - 1).bit_length() - 1


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes, in order.

    >>> root_of([]).hex()[:16]
    'e3b0c44298fc1c14'
    """
    frontier = Frontier()
    for one in leaf_hashes:
        frontier.append(one)
    return frontier.root()


class Frontier:
    """The complete subtrees on a growing tree's right edge: all it takes to append.

    Attributes:
        size: leaves so far.
        hashes: one per bit that is set in `size`, widest subtree first.
    """

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Continue where another frontier of `size` leaves stood.

        Raises:
            ProofError: the number of hashes is not that of such a frontier.
        """
        if size < 0 or len(hashes) != size.bit_count():
            raise ProofError(f"{len(hashes)} hashes are no frontier of {size} leaves")
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf_hash: bytes) -> None:
        """Add one leaf."""
        joined, rest = leaf_hash, self.size
        while rest & 1:
            joined = node_hash(self.hashes.pop(), joined)
            rest >>= 1
        self.hashes.append(joined)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree so far."""
        return fold(self.hashes) if self.hashes else EMPTY_ROOT


def fold(hashes: Sequence[bytes]) -> bytes:
    """One hash of the complete subtrees that make up a span, widest first."""
    joined = hashes[-1]
    for left in reversed(hashes[:-1]):
        joined = node_hash(left, joined)
    return joined


def addresses(span: Span) -> Iterator[Address]:
    """The complete subtrees that make up a span, widest first."""
    start, end = span
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def read_spans(spans: Sequence[Span], read: HashReader) -> list[bytes]:
    """The hash of each span, with one call of the reader."""
    wanted = [list(addresses(span)) for span in spans]
    found = iter(read([address for one in wanted for address in one]))
    return [fold([next(found) for _ in one]) for one in wanted]


def tree_root(size: int, read: HashReader) -> bytes:
    """The root over the first `size` leaves."""
    return read_spans([(0, size)], read)[0] if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: HashReader) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1: that leaf `index` is in the tree of `size`.

    Raises:
        ProofError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    spans: list[Span] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return read_spans(spans[::-1], read)


def consistency_proof(old_size: int, new_size: int, read: HashReader) -> list[bytes]:
    """PROOF of RFC 6962 section 2.1.2: that the tree of `old_size` is a beginning of the other.

    Raises:
        ProofError: the new tree is the smaller one.
    """
    if not 0 <= old_size <= new_size:
        raise ProofError(f"a tree of {new_size} leaves does not extend one of {old_size}")
    if old_size in (0, new_size):
        return []
    spans: list[Span] = []
    start, end = 0, new_size
    while end > old_size:
        middle = start + split(end - start)
        if old_size <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    if start:
        spans.append((start, end))
    return read_spans(spans[::-1], read)


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check by RFC 9162 section 2.1.3.2.

    Raises:
        ProofError: the proof does not lead from the leaf to the root.
    """
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    place, last, joined = index, size - 1, leaf_hash
    for other in proof:
        if last == 0:
            raise ProofError(f"the inclusion proof of leaf {index} is too long")
        if place & 1 or place == last:
            joined = node_hash(other, joined)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            joined = node_hash(joined, other)
        place, last = place >> 1, last >> 1
    if last or not hmac.compare_digest(joined, root):
        raise ProofError(f"leaf {index} is not in the tree of {size} leaves with this root")


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check by RFC 9162 section 2.1.4.2; every tree extends the empty one.

    Raises:
        ProofError: the new tree does not extend the old one, or this does not prove it.
    """
    if not 0 <= old_size <= new_size:
        raise ProofError(f"a tree of {new_size} leaves does not extend one of {old_size}")
    fault = ProofError(
        f"the tree of {new_size} leaves is not shown to extend that of {old_size} leaves"
    )
    if old_size in (0, new_size):
        expected = EMPTY_ROOT if old_size == 0 else new_root
        if proof or not hmac.compare_digest(old_root, expected):
            raise fault
        return
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    joined = _join_both(old_size - 1, new_size - 1, path) if path else None
    if joined is None or not hmac.compare_digest(b"".join(joined), old_root + new_root):
        raise fault


def _join_both(place: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Both roots that the path leads to; None if its length does not fit."""
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for other in path[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, other)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None
