"""Tiles and entry bundles as in c2sp.org/tlog-tiles.

A tile holds up to 256 hashes that stand side by side at every eighth level of
the tree; the levels between are computed. Full tiles never change. An entry
bundle holds up to 256 leaves under the same numbering.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from signalbox.log.errors import TileError
from signalbox.log.merkle import HASH_BYTES, Address, HashReader, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
ENTRIES = -1  # the level of entry bundles
MAX_LEVEL = 63
MAX_ENTRY_BYTES = 0xFFFF
PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]*))?")


@dataclass(frozen=True)
class Tile:
    """Which tile, or (at level `ENTRIES`) which entry bundle.

    Attributes:
        level: 0 holds leaf hashes, 1 the roots of full tiles of level 0, and so on.
        index: place within the level.
        width: hashes or entries in it; below 256 it is partial.
    """

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where a log serves it, below its prefix.

        >>> Tile(0, 1234067).path
        'tile/0/x001/x234/067'
        >>> Tile(ENTRIES, 0, 5).path
        'tile/entries/000.p/5'
        """
        number = f"{self.index % 1000:03}"
        rest = self.index // 1000
        while rest:
            number = f"x{rest % 1000:03}/{number}"
            rest //= 1000
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = f".p/{self.width}" if self.width < WIDTH else ""
        return f"tile/{level}/{number}{partial}"


def parse_path(path: str) -> Tile:
    """The tile at a path; only the one spelling of each is accepted.

    Raises:
        TileError: it is no tile's path.
    """
    found = PATH.fullmatch(path)
    if found is None:
        raise TileError(f"{path!r} is no tile's path: see c2sp.org/tlog-tiles")
    level, groups, last, width = found.groups()
    tile = Tile(
        ENTRIES if level == "entries" else int(level),
        int(re.sub(r"[x/]", "", groups) + last),
        int(width) if width else WIDTH,
    )
    if tile.level > MAX_LEVEL or tile.path != path:
        raise TileError(f"{path!r} is no tile's path: see c2sp.org/tlog-tiles")
    return tile


def new_tiles(old_size: int, new_size: int) -> Iterator[Tile]:
    """Tiles that a log of `new_size` serves and one of `old_size` did not, level by level.

    Partial tiles are those of `new_size` itself.
    """
    level = 0
    while new_size >> HEIGHT * level:
        yield from _grown(level, old_size >> HEIGHT * level, new_size >> HEIGHT * level)
        level += 1


def new_bundles(old_size: int, new_size: int) -> Iterator[Tile]:
    """Entry bundles, as `new_tiles`."""
    return _grown(ENTRIES, old_size, new_size)


def _grown(level: int, old: int, new: int) -> Iterator[Tile]:
    if old == new:
        return
    for index in range(old // WIDTH, new // WIDTH):
        yield Tile(level, index)
    if new % WIDTH:
        yield Tile(level, new // WIDTH, new % WIDTH)


def tile_addresses(tile: Tile) -> list[Address]:
    """The complete subtrees whose hashes a tile holds, in order."""
    first = tile.index * WIDTH
    return [(tile.level * HEIGHT, first + place) for place in range(tile.width)]


def subtree_root(hashes: bytes) -> bytes:
    """The hash over 2**n hashes that stand side by side, concatenated; of a full tile, its root."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def tile_reader(size: int, fetch: Callable[[Tile], bytes]) -> HashReader:
    """Read subtrees' hashes from the tiles of a log of `size` leaves; each is fetched once.

    What is read is only as good as `fetch`: compare a root with a checkpoint's.

    Raises:
        TileError: by the reader, when a tile is not as wide as it must be.
    """
    cache: dict[Tile, bytes] = {}

    def data_of(tile: Tile) -> bytes:
        if tile not in cache:
            data = fetch(tile)
            if len(data) != tile.width * HASH_BYTES:
                raise TileError(f"{tile.path} has {len(data)} bytes, not {tile.width} hashes")
            cache[tile] = data
        return cache[tile]

    def read(wanted: Sequence[Address]) -> list[bytes]:
        found = []
        for level, index in wanted:
            row, height = divmod(level, HEIGHT)
            number, place = divmod(index << height, WIDTH)
            width = min(WIDTH, (size >> HEIGHT * row) - number * WIDTH)
            if place + (1 << height) > width:
                raise TileError(f"subtree {level}/{index} is not in a log of {size} leaves")
            data = data_of(Tile(row, number, width))
            found.append(
                subtree_root(data[place * HASH_BYTES : (place + (1 << height)) * HASH_BYTES])
            )
        return found

    return read


def encode_bundle(bodies: Sequence[bytes]) -> bytes:
    """An entry bundle of these leaves.

    Raises:
        TileError: a leaf is longer than 65,535 bytes.
    """
    for body in bodies:
        if len(body) > MAX_ENTRY_BYTES:
            raise TileError(f"a leaf has {len(body)} bytes; a bundle holds {MAX_ENTRY_BYTES}")
    return b"".join(len(body).to_bytes(2, "big") + body for body in bodies)


def decode_bundle(data: bytes) -> list[bytes]:
    """The leaves of an entry bundle.

    Raises:
        TileError: it is cut off.
    """
    bodies, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise TileError("the entry bundle is cut off")
        bodies.append(data[at + 2 : end])
        at = end
    return bodies
