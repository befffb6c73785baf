"""Evidence: everything that it takes to check a signal's history without the platform.

A bundle is one JSON object, described field by field in `docs/subscriber/verify.md`.
It names no key that is to be believed: whoever verifies brings a policy.
"""

import base64
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from signalbox.log.checkpoint import parse_checkpoint
from signalbox.log.errors import BundleError
from signalbox.log.merkle import HASH_BYTES, HashReader, read_spans
from signalbox.log.multiproof import spans_to_prove
from signalbox.log.note import parse_note

MAX_BUNDLE_BYTES = 512 * 1024 * 1024

Index = Annotated[int, Meta(ge=0)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Hints(_Part, frozen=True, kw_only=True):
    """What the platform says of itself, for people. Nothing is verified by it.

    Attributes:
        policy: a policy file with the platform's own keys.
        url: where the bundle came from.
    """

    policy: str = ""
    url: str = ""


class Bundle(_Part, frozen=True, kw_only=True):
    """Evidence for one signal.

    Attributes:
        signal: `provider/name`.
        checkpoint: a signed note; everything is proved against its root.
        dating: older checkpoints as signed notes, by size. Each dates the leaves below its size.
        known: sizes of trees that the reader saw before, of which this one proves the roots.
        leaves: index and body of the signal's leaves, in order.
        proof: hashes for `signalbox.log.multiproof`, concatenated, in base64.
        openings: index of a forecast leaf, salt in base64, payload.
        images: version to the digest of the image that is said to run.
        since: slots before it are not shown; null: from the first on. Seconds since 1970.
        until: slots from it on are not shown; null: to the last.
    """

    format: Literal["signalbox-evidence/v1"] = "signalbox-evidence/v1"
    signal: str
    checkpoint: str
    dating: tuple[str, ...] = ()
    known: tuple[Index, ...] = ()
    leaves: tuple[tuple[Index, str], ...]
    proof: str
    openings: tuple[tuple[Index, str, str], ...] = ()
    images: dict[str, str] = {}
    since: Index | None = None
    until: Index | None = None
    hints: Hints = Hints()

    def encode(self) -> bytes:
        """As it is sent and stored."""
        return msgspec.json.encode(self)

    @property
    def hashes(self) -> list[bytes]:
        """The proof's hashes.

        Raises:
            BundleError: they are cut off, or not in base64.
        """
        try:
            raw = base64.b64decode(self.proof, validate=True)
        except ValueError:
            raise BundleError("the bundle's proof is not in base64") from None
        if len(raw) % HASH_BYTES:
            raise BundleError("the bundle's proof is cut off")
        return [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]


def parse_bundle(data: bytes) -> Bundle:
    """Read a bundle; what it says is not checked yet.

    Raises:
        BundleError: it is none, or cut off.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise BundleError(f"the bundle has {len(data)} bytes; at most {MAX_BUNDLE_BYTES} are read")
    try:
        return msgspec.json.decode(data, type=Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(
            f"this is no evidence bundle, or it is cut off ({error}); download it again"
        ) from None


def build_bundle(
    signal: str,
    checkpoint: bytes,
    leaves: Sequence[tuple[int, bytes]],
    read: HashReader,
    *,
    dating: Iterable[bytes] = (),
    known: Iterable[int] = (),
    openings: Mapping[int, tuple[bytes, bytes]] | None = None,
    images: Mapping[str, str] | None = None,
    since: int | None = None,
    until: int | None = None,
    hints: Hints | None = None,
) -> Bundle:
    """Put evidence together.

    Args:
        signal: `provider/name`.
        checkpoint: signed note, with cosignatures, that covers every leaf.
        leaves: index and body of all of the signal's leaves, by index. With `since`: those that
            speak of no slot, and without gaps those from the first with a slot of `since` or later.
        read: of the log at the checkpoint's size or later.
        dating: signed notes that reached a quorum, any order; those that date no leaf earlier
            than another does are left out.
        known: sizes of which the reader remembers the root; larger ones are left out.
        openings: salt and payload by leaf index, as far as the reader is entitled to them.
        images: version to image digest.
        since: as in `Bundle`.
        until: as in `Bundle`.
        hints: for people.

    Raises:
        ProofError: a leaf lies beyond the checkpoint.
    """
    size = parse_checkpoint(parse_note(checkpoint).text).size
    indices = [index for index, _ in leaves]
    dated = _needed(indices, dating, size)
    shown = sorted({one for one in known if 0 < one <= size})
    spans = spans_to_prove(size, indices, [*dated, *shown])
    return Bundle(
        signal=signal,
        checkpoint=checkpoint.decode(),
        dating=tuple(note.decode() for note in dated.values()),
        known=tuple(shown),
        leaves=tuple((index, body.decode()) for index, body in leaves),
        proof=base64.b64encode(b"".join(read_spans(spans, read))).decode(),
        openings=tuple(
            (index, base64.b64encode(salt).decode(), payload.decode())
            for index, (salt, payload) in sorted((openings or {}).items())
        ),
        images=dict(images or {}),
        since=since,
        until=until,
        hints=hints or Hints(),
    )


def _needed(indices: Sequence[int], notes: Iterable[bytes], size: int) -> dict[int, bytes]:
    """Of each leaf the smallest tree that covers it, by size."""
    by_size = {parse_checkpoint(parse_note(note).text).size: note for note in notes}
    sizes = sorted(one for one in by_size if one <= size)
    places = {bisect_right(sizes, index) for index in indices}
    return {sizes[place]: by_size[sizes[place]] for place in sorted(places) if place < len(sizes)}
