"""Many leaves, and many older roots, proved by one list of hashes.

Theory of operation: prover and verifier walk the tree of `size` leaves from its
root down, left before right. A span that holds none of the leaves to prove, and
in which none of the older trees ends, is one hash of the list, and the walk goes
no deeper there; everything else the verifier computes. So the list is as short
as can be, needs no addresses, and has one order only. An older tree that ends
inside a span splits where the span splits, so its root comes out of the same
walk, and with it that the log only grew.
"""

import hmac
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

from signalbox.log.errors import ProofError
from signalbox.log.merkle import EMPTY_ROOT, Span, node_hash, split


def spans_to_prove(size: int, indices: Iterable[int], sizes: Iterable[int]) -> list[Span]:
    """The spans whose hashes prove these leaves and older trees, in the list's order.

    Args:
        size: of the tree whose root is trusted.
        indices: of leaves.
        sizes: of older trees.

    Raises:
        ProofError: a leaf or an older tree lies outside the tree.
    """
    leaves, ends = _places(size, indices, sizes)
    spans: list[Span] = []

    def walk(start: int, end: int) -> None:
        has_leaf = bisect_left(leaves, start) < bisect_left(leaves, end)
        if not has_leaf and bisect_right(ends, start) >= bisect_left(ends, end):
            spans.append((start, end))
        elif end - start > 1:
            middle = start + split(end - start)
            walk(start, middle)
            walk(middle, end)

    if size:
        walk(0, size)
    return spans


def verify_multiproof(
    size: int,
    root: bytes,
    leaf_hashes: Mapping[int, bytes],
    sizes: Iterable[int],
    hashes: Sequence[bytes],
) -> dict[int, bytes]:
    """Check that the leaves stand in the tree; returns the root of each older tree.

    Args:
        size: of the tree with this root.
        root: trusted.
        leaf_hashes: by index.
        sizes: of older trees.
        hashes: of the spans of `spans_to_prove`.

    Raises:
        ProofError: they do not, or the list does not show it.
    """
    leaves, ends = _places(size, leaf_hashes, sizes)
    if size == 0:
        if hashes or not hmac.compare_digest(root, EMPTY_ROOT):
            raise ProofError("this is not the root of an empty tree")
        return dict.fromkeys(ends, EMPTY_ROOT)
    walk = _Walk(leaves, ends, leaf_hashes, hashes)
    found = walk.join(0, size, (0, len(leaves)), (bisect_right(ends, 0), bisect_left(ends, size)))
    if walk.used != len(hashes):
        raise ProofError(f"the proof has {len(hashes)} hashes, but {walk.used} are needed")
    if not hmac.compare_digest(found, root):
        raise ProofError(f"the leaves are not in the tree of {size} leaves with this root")
    known = {0: EMPTY_ROOT, size: root, **walk.roots}
    return {end: known[end] for end in ends}


def _places(size: int, indices: Iterable[int], sizes: Iterable[int]) -> tuple[list[int], list[int]]:
    leaves, ends = sorted(set(indices)), sorted(set(sizes))
    if leaves and not 0 <= leaves[0] <= leaves[-1] < size:
        raise ProofError(f"a leaf lies outside the tree of {size} leaves")
    if ends and not 0 <= ends[0] <= ends[-1] <= size:
        raise ProofError(f"an older tree is larger than that of {size} leaves")
    return leaves, ends


class _Walk:
    def __init__(
        self,
        leaves: list[int],
        ends: list[int],
        leaf_hashes: Mapping[int, bytes],
        hashes: Sequence[bytes],
    ) -> None:
        self._leaves, self._ends = leaves, ends
        self._leaf_hashes, self._hashes = leaf_hashes, hashes
        self.used = 0
        self.roots: dict[int, bytes] = {}

    def join(self, start: int, end: int, leaves: Span, ends: Span) -> bytes:
        """The hash of a span; `leaves` and `ends` are the slices that lie inside it."""
        if leaves[0] == leaves[1] and ends[0] == ends[1]:
            return self._next()
        if end - start == 1:
            return self._leaf_hashes[start]
        middle = start + split(end - start)
        leaf = bisect_left(self._leaves, middle, *leaves)
        before = bisect_left(self._ends, middle, *ends)
        after = bisect_right(self._ends, middle, *ends)
        left = self.join(start, middle, (leaves[0], leaf), (ends[0], before))
        right = self.join(middle, end, (leaf, leaves[1]), (after, ends[1]))
        if before < after:
            self.roots[middle] = left
        for older in self._ends[after : ends[1]]:
            self.roots[older] = node_hash(left, self.roots[older])
        return node_hash(left, right)

    def _next(self) -> bytes:
        if self.used == len(self._hashes):
            raise ProofError(f"the proof ends after {self.used} hashes, but more are needed")
        self.used += 1
        return self._hashes[self.used - 1]
