"""An SSH public key as `~/.ssh/id_ed25519.pub` holds it, and its fingerprint."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

TYPES = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
LENGTH_BYTES = 4


class PublicKeyError(ValueError):
    """Not one SSH public key; says what is expected."""


@dataclass(frozen=True)
class PublicKey:
    """`text` is the type and the base64, without the comment, which may name a person."""

    text: str
    fingerprint: str


def parse_public_key(text: str) -> PublicKey:
    """Read one line in OpenSSH's form.

    Raises:
        PublicKeyError: it is something else.
    """
    words = text.split()
    if len(words) < 2 or words[0] not in TYPES or "\n" in text.strip():  # noqa: PLR2004 - see text
        raise PublicKeyError(f"one line is expected, such as `ssh-ed25519 AAAA...`: {_known()}")
    kind, encoded = words[0], words[1]
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise PublicKeyError("the second word is not base64: copy the whole line") from None
    # The blob says its own type first; ssh-keygen reads that one.
    if not blob.startswith(len(kind).to_bytes(LENGTH_BYTES) + kind.encode()):
        raise PublicKeyError(f"the second word holds no {kind} key: copy the whole line")
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return PublicKey(text=f"{kind} {encoded}", fingerprint=f"SHA256:{digest}")


def _known() -> str:
    return ", ".join(TYPES)
