"""A logged forecast, computed again: does the log speak of what this image makes of this input?

Theory of operation: a forecast leaf names the image and the digest of the window, and
commits to the answer. The record beside it pins the window by slot, cut-off and newest
batch, so the same bars can be cut again whatever was corrected since. The image is opened by
the digest of the leaf, not of the registry, and runs in a fresh sandbox; what it answers must
be the payload byte for byte, and open the commitment. A model that looks at a clock, or at
anything else that its window does not hold, answers otherwise and is named.
"""

import dataclasses
import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
import psycopg

from assets.forecasts.feed import PinnedFeed, SlotBars
from assets.forecasts.run import image_of
from assets.forecasts.version import PublishedVersion, published_version
from assets.installation import Installation
from assets.market_data.window import SlotPin
from sandbox.registry.errors import BuildError
from sandbox.runner.engine import Engine
from sandbox.runner.image import Image
from sandbox.runner.run import SlotResult, run_cold
from signalbox.commitment import SALT_BYTES, commit, payload_of

Result = Literal["reproduced", "differs", "not_possible"]

LOGGED = """
select l.kind, l.body, r.version_id, r.slot, r.cutoff, r.max_batch, r.input_digest, r.image_digest,
       o.salt, o.payload
from transparency.leaf l
left join forecast.slot_record r on r.leaf_index = l.index
left join forecast.opening o on o.slot_record_id = r.id
where l.index = %s
"""


@dataclass(frozen=True)
class Reproduction:
    """What came of computing a logged forecast again.

    Attributes:
        result: `reproduced`; `differs`; `not_possible` where it could not be run at all.
        differences: all that differed, first things first; empty where nothing did.
    """

    leaf: int
    signal: str
    version: str
    slot: datetime
    result: Result
    differences: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """The first difference; empty where there is none."""
        return self.differences[0] if self.differences else ""


class NotAForecastError(ValueError):
    """The leaf is none of a forecast, or is not there."""


class _Body(msgspec.Struct, frozen=True):
    sig: str
    ver: str
    slot: int
    img: str
    inp: str
    c: str


@dataclass(frozen=True)
class _Logged:
    """A forecast leaf, and what is stored beside it."""

    leaf: int
    body: _Body
    version_id: int
    pin: SlotPin
    input_digest: str
    image_digest: str
    salt: bytes | None
    payload: bytes | None


def reproduce(installation: Installation, leaf: int) -> Reproduction:
    """Compute the forecast of a leaf again, in a fresh sandbox.

    Raises:
        NotAForecastError: the leaf is not there, or is none of a forecast.
        SandboxError: ours; nothing is learnt.
    """
    with installation.connect() as connection, closing(installation.engine()) as engine:
        return reproduce_on(installation, connection, engine, leaf)


def reproduce_on(
    installation: Installation, connection: psycopg.Connection[Any], engine: Engine, leaf: int
) -> Reproduction:
    """The same on an engine that is there already, such as for many leaves.

    Raises:
        NotAForecastError: the leaf is not there, or is none of a forecast.
        SandboxError: ours; nothing is learnt.
    """
    logged = _read(connection, leaf)
    version = dataclasses.replace(
        published_version(connection, logged.version_id), image_digest=logged.body.img
    )
    before = [*_not_as_logged(logged)]
    pinned = SlotBars(connection, [version], logged.pin).feed(version)
    if pinned.input_digest != logged.body.inp:
        before.append(_named("input", logged.body.inp, pinned.input_digest))
        return _verdict(logged, "not_possible", before)
    try:
        image = image_of(engine, installation.images, version)
    except BuildError as error:
        return _verdict(logged, "not_possible", [*before, f"image: {error}"])
    after = _differences(logged, _run(engine, image, version, pinned))
    differences = [*before, *after]
    return _verdict(logged, "differs" if differences else "reproduced", differences)


def _read(connection: psycopg.Connection[Any], leaf: int) -> _Logged:
    row = connection.execute(LOGGED, [leaf]).fetchone()
    if row is None:
        raise NotAForecastError(f"there is no leaf {leaf}; signalbox fsck counts them")
    kind, body, version_id, slot, cutoff, max_batch, input_digest, image_digest, *opening = row
    if kind != "forecast/v1":
        raise NotAForecastError(f"leaf {leaf} is {kind}: only a forecast can be reproduced")
    if version_id is None:
        raise NotAForecastError(f"leaf {leaf} has no record: run signalbox fsck")
    pin = SlotPin(slot=slot, cutoff=cutoff, max_batch=max_batch)
    said = msgspec.json.decode(body, type=_Body)
    return _Logged(leaf, said, version_id, pin, input_digest, image_digest, *opening)


def _not_as_logged(logged: _Logged) -> Iterator[str]:
    """What is stored beside the leaf, and is not what it says."""
    body = logged.body
    if int(logged.pin.slot.timestamp()) != body.slot:
        yield _named("slot", datetime.fromtimestamp(body.slot, UTC), logged.pin.slot)
    if logged.input_digest != body.inp:
        yield _named("input of the record", body.inp, logged.input_digest)
    if logged.image_digest != body.img:
        yield _named("image of the record", body.img, logged.image_digest)
    if logged.salt is None or logged.payload is None:
        yield "opening: it is lost, so nothing shows what the leaf committed to"
    elif _commitment(logged, logged.payload) != body.c:
        yield _named("commitment", body.c, _commitment(logged, logged.payload))


def _run(engine: Engine, image: Image, version: PublishedVersion, pinned: PinnedFeed) -> SlotResult:
    return run_cold(engine, image, version.manifest, version.label, pinned.feed)


def _differences(logged: _Logged, again: SlotResult) -> Iterator[str]:
    if again.rows is None:
        yield f"answer: the fresh run was missed: {again.missed}"
        return
    payload = payload_of(again.rows)
    if logged.payload is not None and payload != logged.payload:
        yield f"answer: {_first_row(logged.payload, payload)}"
    if logged.salt is not None and _commitment(logged, payload) != logged.body.c:
        yield _named("commitment of the fresh answer", logged.body.c, _commitment(logged, payload))


def _first_row(logged: bytes, again: bytes) -> str:
    """The first row that differs, for people."""
    try:
        before = msgspec.json.decode(logged)
    except msgspec.DecodeError:
        return "the stored payload is no JSON"
    for old, new in itertools.zip_longest(before, msgspec.json.decode(again)):
        if old != new:
            return f"logged {_text(old)}, again {_text(new)}"
    return "same numbers in other bytes"


def _text(row: Any) -> str:
    return "nothing" if row is None else msgspec.json.encode(row).decode()


def _commitment(logged: _Logged, payload: bytes) -> str:
    if logged.salt is None or len(logged.salt) != SALT_BYTES:
        return "none: the salt is not one"
    slot = datetime.fromtimestamp(logged.body.slot, UTC)
    return commit(logged.body.sig, slot, logged.salt, payload).hex()


def _named(what: str, logged: object, found: object) -> str:
    return f"{what}: logged {logged}, found {found}"


def _verdict(logged: _Logged, result: Result, differences: list[str]) -> Reproduction:
    return Reproduction(
        leaf=logged.leaf,
        signal=logged.body.sig,
        version=logged.body.ver,
        slot=logged.pin.slot,
        result=result,
        differences=tuple(differences),
    )
