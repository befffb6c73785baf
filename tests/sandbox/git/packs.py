"""Packs and pushes made by hand, for what git itself would not send."""

import base64
import hashlib
import http.client
import struct
import zlib
from collections.abc import Iterable

COMMIT, TREE, BLOB, OFS_DELTA = 1, 2, 3, 6
NAMES = {COMMIT: "commit", TREE: "tree", BLOB: "blob"}
ZERO = "0" * 40
CAPABILITIES = " report-status side-band-64k"


def entry(kind: int, size: int, content: bytes, *, before: bytes = b"") -> bytes:
    """One object of a pack, its size as claimed; `content` is compressed here."""
    first, rest = size & 15, size >> 4
    head = bytearray()
    byte = kind << 4 | first
    while rest:
        head.append(byte | 0x80)
        byte, rest = rest & 0x7F, rest >> 7
    head.append(byte)
    return bytes(head) + before + zlib.compress(content, 1)


def pack(entries: Iterable[bytes], count: int) -> bytes:
    body = b"PACK" + struct.pack(">II", 2, count) + b"".join(entries)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def object_id(kind: int, content: bytes) -> str:
    header = f"{NAMES[kind]} {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def signal_with(name: str, blob_id: str) -> tuple[list[bytes], str]:
    """Tree and commit that hold one blob, and the commit's id."""
    tree = b"100644 " + name.encode() + b"\0" + bytes.fromhex(blob_id)
    commit = (
        f"tree {object_id(TREE, tree)}\nauthor a <a@example.org> 1 +0000\n"
        "committer a <a@example.org> 1 +0000\n\nAttack\n"
    ).encode()
    entries = [entry(TREE, len(tree), tree), entry(COMMIT, len(commit), commit)]
    return entries, object_id(COMMIT, commit)


def bytes_of_zeros(size: int) -> tuple[bytes, str]:
    """A blob of zeros as a pack's entry, and its id; made piece by piece."""
    digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    packer = zlib.compressobj(1)
    piece, packed = bytes(1 << 20), []
    for _ in range(size >> 20):
        digest.update(piece)
        packed.append(packer.compress(piece))
    packed.append(packer.flush())
    empty = zlib.compress(b"", 1)
    return entry(BLOB, size, b"").removesuffix(empty) + b"".join(packed), digest.hexdigest()


def delta_bomb(copies: int) -> list[bytes]:
    """A blob, and a delta of a few KB that unfolds to `copies` times as much."""
    base = bytes(900_000)
    copy = bytes([0x80 | 0x70]) + len(base).to_bytes(3, "little")
    delta = _varint(len(base)) + _varint(len(base) * copies) + copy * copies
    first = entry(BLOB, len(base), base)
    return [first, entry(OFS_DELTA, len(delta), delta, before=_offset(len(first)))]


def commands(*lines: str) -> bytes:
    """The commands of a push, with the capabilities, up to the flush."""
    first, *others = lines
    texts = [f"{first}\0{CAPABILITIES}", *others]
    return b"".join(f"{len(text) + 4:04x}{text}".encode() for text in texts) + b"0000"


def head(path: str, key: str, length: int) -> bytes:
    """The head of a push whose body is sent by hand."""
    shown = base64.b64encode(f"x:{key}".encode()).decode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {shown}\r\n"
        "Content-Type: application/x-git-receive-pack-request\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def post(house, path: str, key: str, body: bytes | Iterable[bytes]) -> tuple[int, bytes]:
    """Send a push; an iterable of bytes goes in chunks, without a length announced."""
    connection = http.client.HTTPConnection(house.host, house.port, timeout=120)
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"x:{key}".encode()).decode(),
        "Content-Type": "application/x-git-receive-pack-request",
    }
    try:
        connection.request("POST", path, body, headers, encode_chunked=not isinstance(body, bytes))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _offset(distance: int) -> bytes:
    """How far back a delta's base begins, as packs write it."""
    out = [distance & 0x7F]
    while distance := distance >> 7:
        distance -= 1
        out.insert(0, 0x80 | distance & 0x7F)
    return bytes(out)
