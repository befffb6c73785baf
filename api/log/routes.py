"""GET /log/checkpoint, /log/tile/..., /v1/log/proof: the log in the formats of c2sp.org.

Full tiles never change and may be kept for ever; a partial one is true for ever too,
but a wider one follows soon. The checkpoint changes and must not be kept.
"""

import base64
from typing import Annotated

import msgspec
from litestar import Response, Router, get
from litestar.params import FromPath, QueryParameter

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.installation import RequestContext
from api.log import stored
from api.problems import Problem
from signalbox.log.errors import TileError
from signalbox.log.merkle import inclusion_proof
from signalbox.log.tiles import WIDTH, parse_path

OPT = {IGNORES_CREDENTIALS: True}
TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
NEVER_KEEP = "no-cache"
KEEP_FOR_EVER = "public, max-age=31536000, immutable"
KEEP_SHORTLY = "public, max-age=300"


class LeafProof(msgspec.Struct, frozen=True, kw_only=True):
    """That a leaf is in the log.

    Attributes:
        leaf: its index.
        body: canonical JSON; its hash is SHA-256 of 0x00 and this.
        checkpoint: a signed note over `size` leaves.
        hashes: the inclusion proof of RFC 9162 section 2.1.3, in base64, from the leaf up.
    """

    leaf: int
    body: str
    size: int
    checkpoint: str
    hashes: list[str]


@get("/checkpoint", guards=[anyone], opt=OPT, media_type=TEXT)
async def log_checkpoint(context: RequestContext) -> Response[bytes]:
    """The newest signed checkpoint with its cosignatures, as a signed note."""
    async with context.transaction() as connection:
        newest = await stored.newest_checkpoint(connection)
    if newest is None:
        raise _no_checkpoint()
    return _answer(newest.note, TEXT, NEVER_KEEP)


@get("/tile/{tile:path}", guards=[anyone], opt=OPT, media_type=BYTES)
async def log_tile(tile: FromPath[str], context: RequestContext) -> Response[bytes]:
    """`<level>/<index>[.p/<width>]` or `entries/<index>[.p/<width>]`, as c2sp.org/tlog-tiles."""
    try:
        wanted = parse_path(f"tile/{tile.lstrip('/')}")
    except TileError as error:
        raise Problem("not_found", f"{error}.") from None
    async with context.transaction() as connection:
        data = await stored.tile_data(connection, wanted)
    if data is None:
        raise Problem(
            "not_found", f"The log does not reach as far as {wanted.path}; see GET /log/checkpoint."
        )
    return _answer(data, BYTES, KEEP_FOR_EVER if wanted.width == WIDTH else KEEP_SHORTLY)


@get("/v1/log/proof", guards=[anyone], opt=OPT, tags=["log"])
async def log_proof(
    context: RequestContext,
    leaf: Annotated[int, QueryParameter(ge=0, le=2**53 - 1, description="Its index")],
) -> LeafProof:
    """That a leaf is in the log, against the newest checkpoint."""
    async with context.transaction() as connection:
        newest = await stored.newest_checkpoint(connection)
        if newest is None:
            raise _no_checkpoint()
        if leaf >= newest.size:
            raise Problem(
                "not_found",
                f"The newest checkpoint covers {newest.size} leaves; leaf {leaf} is not among them"
                " yet.",
            )
        size = newest.size
        proof = await stored.with_tree(
            connection, size, lambda read: inclusion_proof(leaf, size, read)
        )
        row = await (
            await connection.execute("select body from transparency.leaf where index = %s", [leaf])
        ).fetchone()
    return LeafProof(
        leaf=leaf,
        body=row[0].decode() if row else "",
        size=size,
        checkpoint=newest.note.decode(),
        hashes=[base64.b64encode(one).decode() for one in proof],
    )


def _answer(content: bytes, media_type: str, keep: str) -> Response[bytes]:
    headers = {"Cache-Control": keep, "Access-Control-Allow-Origin": "*"}
    return Response(content, media_type=media_type, headers=headers)


def _no_checkpoint() -> Problem:
    return Problem("not_found", "The log has no checkpoint yet; its publisher makes the first.")


router = Router("/log", route_handlers=[log_checkpoint, log_tile], tags=["log"])
