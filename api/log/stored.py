"""Checkpoints, tiles and leaves as stored. All of it is public but the openings."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import LiteralString, TypeVar

import anyio.from_thread
import anyio.to_thread
import msgspec
import psycopg

from api.rows import fetch_one
from signalbox.log.merkle import HashReader
from signalbox.log.tiles import ENTRIES, HEIGHT, Tile, encode_bundle, tile_reader
from sql.tiles import bundle_query, tile_query

R = TypeVar("R")

# With its quorum if any has it: what readers check needs that.
NEWEST: LiteralString = """
select id, size, note, reached_at, policy from transparency.signed_note
order by reached_at is null, id desc limit 1
"""
# The quorum that dates each leaf: of the smallest checkpoint over it.
DATING: LiteralString = """
select n.note from transparency.signed_note n where n.id in (
  select first.checkpoint_id from unnest(%s::bigint[]) as leaf(index)
  cross join lateral (
    select q.checkpoint_id from transparency.quorum q
    where q.size > leaf.index order by q.size, q.checkpoint_id limit 1) first)
"""
INTEGRATED: LiteralString = """
select checkpoint_size as size from transparency.coverage
"""


class SignedNote(msgspec.Struct, frozen=True):
    """A checkpoint with its cosignatures; `policy` is what its quorum had to be."""

    id: int
    size: int
    note: bytes
    reached_at: datetime | None
    policy: str | None


class _Size(msgspec.Struct, frozen=True):
    size: int


async def newest_checkpoint(connection: psycopg.AsyncConnection) -> SignedNote | None:
    """The newest with its quorum; before any has it, the newest; None before the first."""
    return await fetch_one(connection, SignedNote, NEWEST, [])


async def dating_notes(connection: psycopg.AsyncConnection, indices: Sequence[int]) -> list[bytes]:
    """The signed notes that say when these leaves were there."""
    rows = await (await connection.execute(DATING, [list(indices)])).fetchall()
    return [row[0] for row in rows]


async def tile_data(connection: psycopg.AsyncConnection, tile: Tile) -> bytes | None:
    """A tile's or bundle's bytes; None where the published tree does not reach so far."""
    known = await fetch_one(connection, _Size, INTEGRATED, [])
    size = known.size if known else 0
    level = 0 if tile.level == ENTRIES else tile.level
    if tile.index * 256 + tile.width > size >> HEIGHT * level:
        return None
    if tile.level != ENTRIES:
        return await _hashes(connection, tile)
    row = await (await connection.execute(*bundle_query(tile))).fetchone()
    return encode_bundle(row[0]) if row and row[0] else None


async def _hashes(connection: psycopg.AsyncConnection, tile: Tile) -> bytes:
    row = await (await connection.execute(*tile_query(tile))).fetchone()
    return row[0] or b"" if row else b""


async def with_tree(
    connection: psycopg.AsyncConnection, size: int, build: Callable[[HashReader], R]
) -> R:
    """Call `build` with a reader of the tree of `size` leaves.

    It hashes a lot, so it runs in a thread beside the event loop, and each tile that it
    asks for is fetched on the request's own connection.
    """

    def fetch(tile: Tile) -> bytes:
        return anyio.from_thread.run(_hashes, connection, tile)

    return await anyio.to_thread.run_sync(build, tile_reader(size, fetch))
