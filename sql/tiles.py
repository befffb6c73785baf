"""Where the log's tiles are read from: one row of bytes for each.

Full tiles are stored. A partial one is the end of the level below: leaf hashes,
or the roots of full tiles. So nothing is stored that would change again.
"""

from typing import Any, LiteralString

from signalbox.log.tiles import ENTRIES, WIDTH, Tile

Query = tuple[LiteralString, list[Any]]

FULL: LiteralString = "select hashes from transparency.tile where level = %s and index = %s"
OF_LEAVES: LiteralString = """
select string_agg(leaf_hash, ''::bytea order by index) from transparency.leaf
where index >= %s and index < %s
"""
OF_ROOTS: LiteralString = """
select string_agg(root, ''::bytea order by index) from transparency.tile
where level = %s and index >= %s and index < %s
"""
BODIES: LiteralString = """
select array_agg(body order by index) from transparency.leaf where index >= %s and index < %s
"""


def tile_query(tile: Tile) -> Query:
    """Asks for a tile's hashes, one after the other; null or too short where it is not there."""
    first = tile.index * WIDTH
    if tile.width == WIDTH:
        return FULL, [tile.level, tile.index]
    if tile.level == 0:
        return OF_LEAVES, [first, first + tile.width]
    return OF_ROOTS, [tile.level - 1, first, first + tile.width]


def bundle_query(tile: Tile) -> Query:
    """Asks for the bodies of an entry bundle's leaves, as an array; null where there are none."""
    assert tile.level == ENTRIES  # noqa: S101 - the caller looked
    first = tile.index * WIDTH
    return BODIES, [first, first + tile.width]
