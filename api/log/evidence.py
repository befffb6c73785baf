"""GET .../evidence: what it takes to check a signal's history without us."""

from datetime import datetime
from typing import Annotated, LiteralString

import msgspec
import psycopg
from litestar import Response, Router, get
from litestar.params import FromPath, QueryParameter

from api.auth.guards import anyone
from api.installation import Context, RequestContext
from api.instants import instant
from api.log import stored
from api.log.stored import SignedNote
from api.problems import Problem, invalid_field
from api.rows import fetch_all
from api.signals.lookup import KnownSignal, find_signal
from signalbox.log.bundle import Bundle, Hints, build_bundle

LEAVES_AT_MOST = 20_000

From = Annotated[datetime | None, QueryParameter(name="from", description="slots from here on")]
To = Annotated[datetime | None, QueryParameter(description="slots before")]
Known = Annotated[
    list[int] | None,
    QueryParameter(description="sizes of checkpoints that you remember, to be shown consistent"),
]

# Whole up to the first slot after the time asked for, what speaks of no slot included: that a
# version went offline is why it owes no more. Before the first slot, only what speaks of none.
LEAVES: LiteralString = """
with mine as (
  select l.index, l.seq, l.slot, l.body from transparency.leaf l
  where l.signal_id = %(signal_id)s and l.index < %(size)s),
part as (
  select (select min(seq) from mine where slot >= %(since)s) as first,
         (select greatest(max(m.seq), coalesce(
            (select min(seq) - 1 from mine where slot >= %(until)s), (select max(seq) from mine)))
          from mine m where m.slot < %(until)s having count(*) > 0) as last)
select m.index, m.body from mine m, part
where (%(since)s::timestamptz is null or m.slot is null or m.seq >= part.first)
  and (%(until)s::timestamptz is null or m.seq <= part.last)
order by m.index limit %(limit)s
"""
# Row-level security leaves those that the asker may open.
OPENINGS: LiteralString = """
select r.leaf_index, o.salt, o.payload
from forecast.slot_record r join forecast.opening o on o.slot_record_id = r.id
where r.leaf_index = any (%s)
"""
IMAGES: LiteralString = """
select v.version, v.image_digest from registry.version v
join transparency.leaf l on l.signal_id = v.signal_id and l.kind = 'version/v1'
 and l.index = any (%(indices)s)
 and convert_from(l.body, 'UTF8')::jsonb ->> 'ver' = v.version
where v.signal_id = %(signal_id)s and v.published_at is not null
"""


class _Leaf(msgspec.Struct, frozen=True):
    index: int
    body: bytes


class _Opening(msgspec.Struct, frozen=True):
    leaf_index: int
    salt: bytes
    payload: bytes


class _Image(msgspec.Struct, frozen=True):
    version: str
    image_digest: str


@get("/evidence", guards=[anyone])
async def get_evidence(
    provider: FromPath[str],
    name: FromPath[str],
    context: RequestContext,
    from_: From = None,
    to: To = None,
    known: Known = None,
) -> Response[bytes]:
    """A bundle for `signalbox verify`, with the openings that you are entitled to."""
    since, until = instant("from", from_), instant("to", to)
    async with context.transaction() as connection:
        signal = await find_signal(connection, context, provider, name)
        newest = await stored.newest_checkpoint(connection)
        if newest is None:
            raise Problem("not_found", "The log has no checkpoint yet; try again in a minute.")
        leaves = await _leaves(connection, signal, newest, since, until)
        bundle = await _bundle(connection, context, signal, newest, leaves, since, until, known)
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{provider}-{name}.evidence.json"',
    }
    return Response(bundle.encode(), media_type="application/json", headers=headers)


async def _leaves(
    connection: psycopg.AsyncConnection,
    signal: KnownSignal,
    newest: SignedNote,
    since: datetime | None,
    until: datetime | None,
) -> list[_Leaf]:
    values = {
        "signal_id": signal.id, "size": newest.size, "since": since, "until": until,
        "limit": LEAVES_AT_MOST + 1,
    }  # fmt: skip
    leaves = await fetch_all(connection, _Leaf, LEAVES, values)
    if not leaves:
        raise Problem(
            "not_found",
            f"No leaf of {signal.signal} is covered by a checkpoint in this time; ask for another.",
        )
    if len(leaves) > LEAVES_AT_MOST:
        raise invalid_field("from", f"more than {LEAVES_AT_MOST} leaves; ask for a shorter time")
    return leaves


async def _bundle(
    connection: psycopg.AsyncConnection,
    context: Context,
    signal: KnownSignal,
    newest: SignedNote,
    leaves: list[_Leaf],
    since: datetime | None,
    until: datetime | None,
    known: list[int] | None,
) -> Bundle:
    indices = [leaf.index for leaf in leaves]
    openings = await fetch_all(connection, _Opening, OPENINGS, [indices])
    values = {"indices": indices, "signal_id": signal.id}
    images = await fetch_all(connection, _Image, IMAGES, values)
    dating = await stored.dating_notes(connection, indices)
    return await stored.with_tree(
        connection,
        newest.size,
        lambda read: build_bundle(
            signal.signal,
            newest.note,
            [(leaf.index, leaf.body) for leaf in leaves],
            read,
            dating=dating,
            known=known or (),
            openings={one.leaf_index: (one.salt, one.payload) for one in openings},
            images={one.version: one.image_digest for one in images},
            since=_seconds(since),
            until=_seconds(until),
            hints=Hints(policy=newest.policy or "", url=context.settings.api_url),
        ),
    )


def _seconds(at: datetime | None) -> int | None:
    # No slot is older: a bundle's seconds are never negative.
    return None if at is None else max(int(at.timestamp()), 0)


router = Router(
    "/v1/signals/{provider:str}/{name:str}", route_handlers=[get_evidence], tags=["log"]
)
