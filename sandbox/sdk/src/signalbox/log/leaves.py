"""What each kind of leaf says, and that it says nothing else.

A leaf is canonical JSON: sorted keys, no white space, one spelling of each value.
Reading one and writing it again must give the same bytes, so that nobody finds two
leaves with one meaning, or two meanings in one leaf.

`seq` counts the leaves of a signal from 0 without gaps; `prev` is the leaf hash (in
hex) of the signal's leaf before, empty for its first.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from signalbox.leaf import canonical
from signalbox.log.errors import LeafError

HOUR = 3600  # seconds

Signal = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9_-]{0,63}/[a-z][a-z0-9-]{1,38}[a-z0-9]\Z")]
Version = Annotated[str, Meta(pattern=r"\Av[0-9]+\.[0-9]+\.[0-9]+\Z")]
Digest = Annotated[str, Meta(pattern=r"\Asha256:[0-9a-f]{64}\Z")]
Hash = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Commit = Annotated[str, Meta(pattern=r"\A[0-9a-f]{40}([0-9a-f]{24})?\Z")]
Previous = Annotated[str, Meta(pattern=r"\A([0-9a-f]{64})?\Z")]
Count = Annotated[int, Meta(ge=0)]
Slot = Annotated[int, Meta(ge=0, multiple_of=HOUR)]
Text = Annotated[str, Meta(max_length=4000)]


class _Leaf(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    sig: Signal
    seq: Count
    prev: Previous


class VersionLeaf(_Leaf, frozen=True, kw_only=True, tag="version/v1"):
    """A version was published: from commit and tree to the image that runs."""

    ver: Version
    commit: Commit
    tree: Digest
    lock: Digest
    img: Digest
    base: Digest
    sbom: Digest


class ForecastLeaf(_Leaf, frozen=True, kw_only=True, tag="forecast/v1"):
    """A version answered at a slot.

    Attributes:
        vl: index of the version's leaf.
        slot: seconds since 1970, UTC.
        inp: digest of the window it saw.
        c: commitment to the forecasts, see `signalbox.commitment`.
    """

    ver: Version
    vl: Count
    img: Digest
    slot: Slot
    inp: Digest
    c: Hash


class MissedLeaf(_Leaf, frozen=True, kw_only=True, tag="missed/v1"):
    """A version owed a forecast and gave none; `why` is the kind of miss."""

    ver: Version
    slot: Slot
    why: Text


class OfflineLeaf(_Leaf, frozen=True, kw_only=True, tag="offline/v1"):
    """A version stops running: slots are not due from now on."""

    ver: Version


class LiveLeaf(_Leaf, frozen=True, kw_only=True, tag="live/v1"):
    """A version that was offline runs again: slots are due from now on."""

    ver: Version


class RetiredLeaf(_Leaf, frozen=True, kw_only=True, tag="retired/v1"):
    """A version ends; it has no leaf of any slot after this."""

    ver: Version


class PriceLeaf(_Leaf, frozen=True, kw_only=True, tag="price/v1"):
    """What new subscribers pay from now on.

    Attributes:
        amount_minor: per month, in minor units of the currency.
        reveal_after_hours: after which forecasts are everybody's.
    """

    amount_minor: Count
    currency: Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
    trial_days: Annotated[int, Meta(ge=0, le=30)]
    reveal_after_hours: Annotated[int, Meta(ge=1, le=8760)]


class AuditLeaf(_Leaf, frozen=True, kw_only=True, tag="audit/v1"):
    """A past forecast was computed again.

    Attributes:
        leaf: index of the forecast's leaf.
        reproduced: whether the same forecasts came out.
        why: what differed first; empty where nothing did.
    """

    leaf: Count
    reproduced: bool
    why: Text


Leaf = (
    VersionLeaf
    | ForecastLeaf
    | MissedLeaf
    | OfflineLeaf
    | LiveLeaf
    | RetiredLeaf
    | PriceLeaf
    | AuditLeaf
)

_DECODER: msgspec.json.Decoder[Leaf] = msgspec.json.Decoder(Leaf)


def parse_leaf(body: bytes) -> Leaf:
    """Read a leaf's body.

    Raises:
        LeafError: its kind is not known, a field is missing, unknown or out of bounds,
            or the body is not the canonical spelling of what it says.
    """
    try:
        leaf = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LeafError(f"the leaf is malformed: {error}") from None
    if canonical(leaf) != body:
        raise LeafError("the leaf is not in canonical form")
    return leaf
