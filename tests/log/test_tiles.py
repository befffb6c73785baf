"""Tiles and entry bundles: one path for each, all that a growing log needs, proofs from them."""

import hashlib

import pytest

from signalbox.log.errors import TileError
from signalbox.log.merkle import (
    consistency_proof,
    inclusion_proof,
    root_of,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from signalbox.log.tiles import (
    ENTRIES,
    Tile,
    decode_bundle,
    encode_bundle,
    new_bundles,
    new_tiles,
    parse_path,
    subtree_root,
    tile_addresses,
    tile_reader,
)

SIZE = 70_000
LEAVES = [hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(SIZE)]


def test_a_tree_of_70_000_leaves_has_the_tiles_that_the_specification_names():
    tiles = list(new_tiles(0, SIZE))
    assert sum(tile.level == 0 and tile.width == 256 for tile in tiles) == 273
    assert [tile.path for tile in tiles if tile.width < 256] == [
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert [tile.path for tile in new_tiles(0, 256)] == ["tile/0/000", "tile/1/000.p/1"]


def test_a_log_that_grows_makes_only_what_changed():
    assert [tile.path for tile in new_tiles(69_999, SIZE)] == ["tile/0/273.p/112"]
    assert [tile.path for tile in new_tiles(255, 257)] == [
        "tile/0/000",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
    ]
    assert [tile.path for tile in new_bundles(255, 257)] == [
        "tile/entries/000",
        "tile/entries/001.p/1",
    ]
    assert list(new_tiles(SIZE, SIZE)) == list(new_bundles(5, 5)) == []


@pytest.mark.parametrize("tile", [*new_tiles(69_000, SIZE), Tile(0, 1_234_067), Tile(ENTRIES, 999)])
def test_a_tile_has_one_path(tile):
    assert parse_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/0/x000/000",
        "tile/0/x001/67", "tile/0/001/067", "tile/0/000.p/0", "tile/0/000.p/256",
        "tile/0/000.p/01", "tile/0/000.p/", "tile/data/000", "tile/0/../000", "/tile/0/000",
        "tile/0/000/", "tile/0/\u0660\u0660\u0660", "tile/0/000\n", "checkpoint",
    ],
)  # fmt: skip
def test_another_spelling_of_a_path_is_refused(path):
    with pytest.raises(TileError, match="is no tile's path"):
        parse_path(path)


@pytest.fixture(scope="module")
def served() -> dict[Tile, bytes]:
    """Every tile of the log, built level upon level."""
    tiles: dict[Tile, bytes] = {}
    rows = {0: LEAVES}
    for tile in new_tiles(0, SIZE):
        row = rows.setdefault(tile.level, [])
        if not row:
            below = (one for one in tiles if one.level == tile.level - 1 and one.width == 256)
            row += [subtree_root(tiles[one]) for one in sorted(below, key=lambda one: one.index)]
        tiles[tile] = b"".join(row[index] for _, index in tile_addresses(tile))
    return tiles


def test_proofs_come_from_tiles(served):
    read = tile_reader(SIZE, served.__getitem__)
    root = root_of(LEAVES)

    assert tree_root(SIZE, read) == root
    for index in (0, 255, 256, 65_535, 65_536, SIZE - 1):
        verify_inclusion(LEAVES[index], index, SIZE, inclusion_proof(index, SIZE, read), root)
    for old in (1, 255, 256, 257, 65_536, 69_999):
        proof = consistency_proof(old, SIZE, read)
        verify_consistency(old, root_of(LEAVES[:old]), SIZE, root, proof)


def test_a_tile_of_the_wrong_width_is_refused(served):
    read = tile_reader(SIZE, lambda tile: served[tile][:-1])
    with pytest.raises(TileError, match="not 112 hashes"):
        inclusion_proof(SIZE - 1, SIZE, read)
    with pytest.raises(TileError, match="not in a log of 5 leaves"):
        tile_reader(5, served.__getitem__)([(0, 5)])


def test_entries_come_out_of_a_bundle_as_they_went_in():
    bodies = [b"", b"{}", bytes(65_535)]
    assert decode_bundle(encode_bundle(bodies)) == bodies
    with pytest.raises(TileError, match="65536 bytes"):
        encode_bundle([bytes(65_536)])
    for cut in (1, 3, 7):
        with pytest.raises(TileError, match="cut off"):
            decode_bundle(encode_bundle(bodies)[:-cut])
    with pytest.raises(TileError, match="cut off"):
        decode_bundle(b"\x00")
