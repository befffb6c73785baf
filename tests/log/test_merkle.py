"""Trees and proofs, against the vectors of RFC 6962's reference and a second, naive reading."""

import itertools
import random

import pytest

from signalbox.leaf import leaf_hash
from signalbox.log.errors import ProofError
from signalbox.log.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    node_hash,
    read_spans,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from signalbox.log.multiproof import spans_to_prove, verify_multiproof

# Leaves and roots of the test suite of Certificate Transparency.
LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MANY = [leaf_hash(str(number).encode()) for number in range(600)]
SIZES = [*range(1, 34), 255, 256, 257, 600]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 writes it down."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(naive_root(leaves[:half]), naive_root(leaves[half:]))


def read_many(wanted):
    return [naive_root(MANY[index << level : (index + 1) << level]) for level, index in wanted]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference(size):
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_a_frontier_continues_where_another_stood():
    first = Frontier()
    for one in MANY[:77]:
        first.append(one)
    second = Frontier(first.size, first.hashes)
    for one in MANY[77:600]:
        second.append(one)

    assert second.root() == naive_root(MANY)
    with pytest.raises(ProofError, match="no frontier of 5 leaves"):
        Frontier(5, first.hashes[:1])


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proved_in_every_tree(size):
    root = naive_root(MANY[:size])
    for index in range(0, size, max(1, size // 40)):
        proof = inclusion_proof(index, size, read_many)
        verify_inclusion(MANY[index], index, size, proof, root)


@pytest.mark.parametrize("size", SIZES)
def test_every_tree_is_proved_to_extend_its_beginnings(size):
    root = naive_root(MANY[:size])
    for old in range(0, size + 1, max(1, size // 40)):
        proof = consistency_proof(old, size, read_many)
        verify_consistency(old, naive_root(MANY[:old]), size, root, proof)


def damaged(proof: list[bytes]):
    """Every proof that differs from this one in one place, or in its length."""
    for place in range(len(proof)):
        flipped = bytes([proof[place][0] ^ 1]) + proof[place][1:]
        yield [*proof[:place], flipped, *proof[place + 1 :]]
        yield [*proof[:place], *proof[place + 1 :]]
    yield [*proof, MANY[0]]


def test_a_damaged_inclusion_proof_proves_nothing():
    for size, index in [(7, 3), (8, 7), (13, 12), (257, 256)]:
        root = naive_root(MANY[:size])
        for proof in damaged(inclusion_proof(index, size, read_many)):
            with pytest.raises(ProofError):
                verify_inclusion(MANY[index], index, size, proof, root)
        for wrong_place in {0, size - 1} - {index}:
            proof = inclusion_proof(index, size, read_many)
            with pytest.raises(ProofError):
                verify_inclusion(MANY[index], wrong_place, size, proof, root)


def test_a_damaged_consistency_proof_proves_nothing():
    for old, new in [(3, 7), (4, 8), (6, 13), (256, 257)]:
        roots = naive_root(MANY[:old]), naive_root(MANY[:new])
        for proof in damaged(consistency_proof(old, new, read_many)):
            with pytest.raises(ProofError):
                verify_consistency(old, roots[0], new, roots[1], proof)


def test_a_log_that_shrank_or_forked_is_not_consistent():
    root = naive_root(MANY[:5])
    with pytest.raises(ProofError, match="does not extend"):
        verify_consistency(6, naive_root(MANY[:6]), 5, root, [])
    with pytest.raises(ProofError):
        verify_consistency(5, naive_root(MANY[1:6]), 5, root, [])
    with pytest.raises(ProofError):
        verify_consistency(0, root, 5, root, [])


@pytest.mark.parametrize("size", SIZES)
def test_one_list_of_hashes_proves_many_leaves_and_older_trees(size):
    draw = random.Random(size)  # noqa: S311 - the same places every time
    root = naive_root(MANY[:size])
    for share in (0.05, 0.5, 1.0):
        indices = [place for place in range(size) if draw.random() < share]
        sizes = [place for place in range(size + 1) if draw.random() < share]
        hashes = read_spans(spans_to_prove(size, indices, sizes), read_many)

        found = verify_multiproof(size, root, {i: MANY[i] for i in indices}, sizes, hashes)

        assert found == {older: naive_root(MANY[:older]) for older in sizes}


def test_a_damaged_list_proves_nothing():
    indices, sizes = [3, 77, 500], [78, 501]
    root = naive_root(MANY)
    hashes = read_spans(spans_to_prove(600, indices, sizes), read_many)
    for wrong in damaged(hashes):
        with pytest.raises(ProofError):
            verify_multiproof(600, root, {i: MANY[i] for i in indices}, sizes, wrong)
    for swapped in itertools.permutations(indices):
        if list(swapped) != indices:
            leaves = {i: MANY[j] for i, j in zip(indices, swapped, strict=True)}
            with pytest.raises(ProofError):
                verify_multiproof(600, root, leaves, sizes, hashes)


def test_nothing_outside_the_tree_is_proved():
    with pytest.raises(ProofError, match="outside the tree"):
        spans_to_prove(5, [5], [])
    with pytest.raises(ProofError, match="larger than"):
        spans_to_prove(5, [], [6])
    with pytest.raises(ProofError, match="no leaf 5"):
        inclusion_proof(5, 5, read_many)
