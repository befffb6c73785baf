"""Leaves of the transparency log: canonical JSON under RFC 6962 hashing."""

import hashlib
from typing import Any

import msgspec

LEAF_PREFIX = b"\x00"  # RFC 6962 section 2.1


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no white space.

    >>> canonical({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    return msgspec.json.encode(value, order="sorted")


def leaf_hash(body: bytes) -> bytes:
    """RFC 6962 section 2.1: SHA-256 of 0x00 and the leaf.

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return hashlib.sha256(LEAF_PREFIX + body).digest()
