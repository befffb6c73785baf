"""The tree over the stored leaves: read by tiles, grown by whole tiles."""

from typing import Any

import psycopg

from signalbox.log.merkle import HASH_BYTES, HashReader
from signalbox.log.tiles import HEIGHT, WIDTH, Tile, subtree_root, tile_reader
from sql.tiles import OF_LEAVES, OF_ROOTS, tile_query

INSERT = """
insert into transparency.tile (level, index, hashes, root)
select new.* from unnest(%b::int[], %b::bigint[], %b::bytea[], %b::bytea[]) as new
on conflict do nothing
"""


def stored_tree(connection: psycopg.Connection[Any], size: int) -> HashReader:
    """Reads the tree of the first `size` leaves; its full tiles must be stored."""
    return tile_reader(size, lambda tile: _fetch(connection, tile))


def _fetch(connection: psycopg.Connection[Any], tile: Tile) -> bytes:
    row = connection.execute(*tile_query(tile)).fetchone()
    return row[0] or b"" if row else b""


def grow(connection: psycopg.Connection[Any], old_size: int, new_size: int) -> int:
    """Store the full tiles that the leaves from `old_size` to `new_size` complete; their number.

    The roots of one level's tiles are the hashes of the next, so each leaf is hashed
    once, and each level costs a 256th of the one below.
    """
    stored, level = 0, 0
    old, new = old_size // WIDTH, new_size // WIDTH
    while old < new:
        hashes = _row(connection, level, old * WIDTH, new * WIDTH)
        width = WIDTH * HASH_BYTES
        tiles = [hashes[at : at + width] for at in range(0, len(hashes), width)]
        connection.execute(
            INSERT,
            [
                [level] * len(tiles), list(range(old, new)), tiles,
                [subtree_root(tile) for tile in tiles],
            ],
        )  # fmt: skip
        stored += len(tiles)
        old, new, level = old >> HEIGHT, new >> HEIGHT, level + 1
    return stored


def _row(connection: psycopg.Connection[Any], level: int, first: int, end: int) -> bytes:
    if level == 0:
        row = connection.execute(OF_LEAVES, [first, end]).fetchone()
    else:
        row = connection.execute(OF_ROOTS, [level - 1, first, end]).fetchone()
    hashes: bytes = row[0] or b"" if row else b""
    if len(hashes) != (end - first) * HASH_BYTES:
        raise RuntimeError(
            f"level {level} of the tree has a gap between {first} and {end}: run signalbox fsck"
        )
    return hashes
