"""What passes through the signer's socket: one line of JSON each way, then it is closed."""

import msgspec

from assets.transparency.signer.errors import Refusal
from assets.transparency.signer.signer import SignerState
from signalbox.log.note import parse_vkey

MAX_LINE_BYTES = 64 * 1024
SECONDS = 5.0


class AskState(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask",
               tag="state"):  # fmt: skip
    """What was signed last?"""


class AskSign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask",
              tag="sign"):  # fmt: skip
    """Sign this checkpoint; `proof` is hashes, consistent with `old_size`."""

    checkpoint: str
    old_size: int
    proof: list[bytes]


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A state, a note, or a refusal."""

    origin: str = ""
    size: int = 0
    root: bytes = b""
    vkeys: list[str] = []
    note: str = ""
    refused: Refusal | None = None
    why: str = ""


Ask = AskState | AskSign


def answer_of(state: SignerState) -> Answer:
    return Answer(
        origin=state.origin,
        size=state.size,
        root=state.root,
        vkeys=[key.vkey for key in state.keys],
    )


def state_of(answer: Answer) -> SignerState:
    keys = tuple(parse_vkey(vkey) for vkey in answer.vkeys)
    return SignerState(answer.origin, answer.size, answer.root, keys)
