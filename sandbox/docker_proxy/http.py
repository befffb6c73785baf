"""One request of a connection, read by the letter, and answers written by it.

Where the standard lets two readers disagree (both lengths, folded or repeated headers, a bare
line feed, an absolute or percent-encoded target), this one refuses: what it understood is
written anew for the daemon, so no second reader ever sees the caller's bytes.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

from sandbox.docker_proxy.errors import RefusedError

HEAD_BYTES = 16_384
HEAD_SECONDS = 10.0
BODY_SECONDS = 60.0  # the longest pause
JSON_BYTES = 262_144
CHUNK = 65_536

REQUEST = re.compile(r"(GET|HEAD|POST|DELETE|PUT|PATCH) (/[!-~]*) HTTP/1\.1")
HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([ -~\t]*?)[ \t]*")
PATH = re.compile(r"(?:/v1\.[0-9]{2})?((?:/[A-Za-z0-9_.:-]+)+)")
LENGTH = re.compile(r"[0-9]{1,13}")
CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})\r\n")
# Nobody here needs them, and each has been read in two ways by somebody.
NOT_TAKEN = ("expect", "trailer", "te", "x-registry-auth", "x-http-method-override")


@dataclass(frozen=True)
class Request:
    """What a caller asked for, without its body.

    Attributes:
        path: without the version prefix: the daemon is asked by its own.
        query: each name once.
        length: of the body in bytes; None where it comes in chunks.
    """

    method: str
    path: str
    query: dict[str, str]
    length: int | None
    upgrades: bool

    @property
    def has_body(self) -> bool:
        return self.length != 0


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The request at the head of a connection; None where it ended before one.

    Raises:
        RefusedError: it is malformed, ambiguous, too long or too slow.
    """
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise RefusedError("request", "ends within its head", HTTPStatus.BAD_REQUEST) from None
    except asyncio.LimitOverrunError:
        raise _malformed("head", f"is longer than {HEAD_BYTES} bytes") from None
    except TimeoutError:
        raise RefusedError(
            "request", f"must arrive in {HEAD_SECONDS:g} s", HTTPStatus.REQUEST_TIMEOUT
        ) from None
    return parse_head(head)


def parse_head(head: bytes) -> Request:
    """What a head says, and nothing that could be read otherwise.

    Raises:
        RefusedError: naming the line.
    """
    try:
        first, *lines = head.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    except UnicodeDecodeError:
        raise _malformed("head", "must be ASCII") from None
    if not (asked := REQUEST.fullmatch(first)):
        raise _malformed("request line", "must be METHOD /path HTTP/1.1")
    headers = _headers(lines)
    path, query = _target(asked[2])
    return Request(asked[1], path, query, _length(headers), _upgrades(headers))


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        found = HEADER.fullmatch(line)
        if not found:
            raise _malformed("header", "must be `Name: value` on one line")
        name = found[1].lower()
        if name in headers:
            raise _malformed(f"header {name}", "stands there twice")
        if name in NOT_TAKEN:
            raise RefusedError(f"header {name}", "is not taken")
        headers[name] = found[2]
    return headers


def _target(target: str) -> tuple[str, dict[str, str]]:
    raw, mark, asked = target.partition("?")
    found = PATH.fullmatch(raw)
    if not found or any(part in (".", "..") for part in found[1].split("/")):
        raise _malformed("path", "must be plain: no %, no //, no dots, version v1.NN or none")
    if mark and not asked:
        return found[1], {}
    try:
        pairs = parse_qsl(
            asked, keep_blank_values=True, strict_parsing=bool(asked), max_num_fields=16,
            errors="strict",
        )  # fmt: skip
    except ValueError:
        raise _malformed("query", "must be name=value, at most 16 of them") from None
    query = dict(pairs)
    if len(query) != len(pairs):
        raise _malformed("query", "names something twice")
    return found[1], query


def _length(headers: dict[str, str]) -> int | None:
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None and length is not None:
        raise _malformed("length", "is told by Content-Length or by chunks, not by both")
    if coding is not None:
        if coding.lower() != "chunked":
            raise _malformed("header transfer-encoding", "must be chunked")
        return None
    if length is None:
        return 0
    if not LENGTH.fullmatch(length):
        raise _malformed("header content-length", "must be a number")
    return int(length)


def _upgrades(headers: dict[str, str]) -> bool:
    wanted = headers.get("upgrade")
    if wanted is None:
        return False
    if wanted.lower() != "tcp" or headers.get("connection", "").lower() != "upgrade":
        raise _malformed("header upgrade", "must be tcp, with Connection: Upgrade")
    return True


async def body_of(request: Request, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The body, piece by piece, its chunks taken off.

    Raises:
        RefusedError: it ends too early, pauses too long, or is chunked otherwise than plainly.
    """
    try:
        if request.length is None:
            async for piece in _chunks(reader):
                yield piece
        else:
            async for piece in _exactly(reader, request.length):
                yield piece
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise _malformed("body", "ends too early, or is chunked wrongly") from None
    except TimeoutError:
        raise RefusedError(
            "body", f"paused for more than {BODY_SECONDS:g} s", HTTPStatus.REQUEST_TIMEOUT
        ) from None


async def _exactly(reader: asyncio.StreamReader, length: int) -> AsyncIterator[bytes]:
    left = length
    while left:
        async with asyncio.timeout(BODY_SECONDS):
            piece = await reader.read(min(left, CHUNK))
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(piece)
        yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(BODY_SECONDS):
            found = CHUNK_SIZE.fullmatch(await reader.readuntil(b"\r\n"))
        if not found:
            raise _malformed("chunk", "must begin with its size alone")
        size = int(found[1], 16)
        async for piece in _exactly(reader, size):
            yield piece
        async with asyncio.timeout(BODY_SECONDS):
            if await reader.readexactly(2) != b"\r\n":
                raise _malformed("chunk", "must end where its size says")
        if size == 0:
            return


async def whole_body(request: Request, reader: asyncio.StreamReader) -> bytes:
    """The whole of a body that is JSON.

    Raises:
        RefusedError: as `body_of`, or it is too long.
    """
    taken = bytearray()
    async for piece in body_of(request, reader):
        taken += piece
        if len(taken) > JSON_BYTES:
            raise RefusedError("body", f"is longer than {JSON_BYTES} bytes")
    return bytes(taken)


def answer(status: int, document: object) -> bytes:
    """A whole answer in JSON, after which the connection ends."""
    body = json.dumps(document).encode()
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body


def refusal(error: RefusedError) -> bytes:
    """What Docker's clients show as the daemon's own error."""
    return answer(error.status, {"message": f"refused by sandbox.docker_proxy: {error}"})


def _malformed(field: str, why: str) -> RefusedError:
    return RefusedError(field, why)
