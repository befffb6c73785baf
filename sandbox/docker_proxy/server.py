"""Listening, and passing on: one connection, one request, one answer."""

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Coroutine
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias

from sandbox.docker_proxy.archive import Archive
from sandbox.docker_proxy.daemon import Daemon, head
from sandbox.docker_proxy.errors import DaemonError, RefusedError
from sandbox.docker_proxy.http import (
    HEAD_BYTES,
    Request,
    answer,
    body_of,
    read_request,
    refusal,
    whole_body,
)
from sandbox.docker_proxy.rules import Route, Rules, find

logger = logging.getLogger("signalbox.docker_proxy")
CHUNK = 65_536
ANSWER_SECONDS = 7_500.0  # a zygote's lifetime, and some minutes
LINGER_SECONDS = 3.0
PEER = struct.Struct("3i")
Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter


class Door:
    """One socket, its callers, and what they may ask.

    Args:
        uids: of the users who may call.
        connections: at once; more are refused.
    """

    def __init__(
        self, daemon: Daemon, rules: Rules, uids: frozenset[int], connections: int
    ) -> None:
        self._daemon = daemon
        self._rules = rules
        self._uids = uids
        self._most = connections
        self._present = 0

    @contextlib.asynccontextmanager
    async def opened(self, path: Path, group: int | None) -> AsyncIterator[None]:
        """Listen at `path`, for members of `group`, or for everybody who may walk there."""
        with socket.socket(socket.AF_UNIX) as listening:
            _bind(listening, path, group)
            async with await asyncio.start_unix_server(
                self._called, sock=listening, limit=HEAD_BYTES
            ):
                yield

    async def _called(self, reader: Reader, writer: Writer) -> None:
        self._present += 1
        try:
            await self._heard(reader, writer)
        except (ConnectionError, TimeoutError) as error:
            logger.info("%s: broken off: %s", self._rules.name, type(error).__name__)
        except Exception:
            logger.exception("%s: a request failed", self._rules.name)
        finally:
            self._present -= 1
            writer.close()

    async def _heard(self, reader: Reader, writer: Writer) -> None:
        said = ""
        try:
            self._require_caller(writer)
            request = await read_request(reader)
            if request is None:
                return
            said = f"{request.method} {request.path}"
            await self._passed(request, reader, writer)
        except RefusedError as error:
            logger.warning("%s: refused %s: %s", self._rules.name, said[:300], error)
            writer.write(refusal(error))
            await _heard_out(reader, writer)
        except DaemonError as error:
            logger.error("%s: %s: %s", self._rules.name, said[:300], error)  # noqa: TRY400
            writer.write(answer(HTTPStatus.BAD_GATEWAY, {"message": str(error)}))
        with contextlib.suppress(ConnectionError):
            await writer.drain()

    def _require_caller(self, writer: Writer) -> None:
        peer: socket.socket = writer.get_extra_info("socket")
        told = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
        _, uid, _ = PEER.unpack(told)
        if uid not in self._uids:
            raise RefusedError("caller", f"user {uid} has no business at this socket")
        if self._present > self._most:
            raise RefusedError(
                "caller", "too many connections at once", HTTPStatus.SERVICE_UNAVAILABLE
            )

    async def _passed(self, request: Request, reader: Reader, writer: Writer) -> None:
        route, found = find(self._rules, request)
        container = found.groupdict().get("container")
        if container is not None:
            absent = await self._rules.owned.require(container)
            if absent is not None:
                writer.write(_raw(*absent))
                return
        if route.handler is not None:
            body = await whole_body(request, reader)
            writer.write(_raw(*await route.handler(found, request, body)))
            return
        await self._relay(route, request, reader, writer)

    async def _relay(self, route: Route, request: Request, reader: Reader, writer: Writer) -> None:
        upgrades = route.shape == "hijacked"
        async with self._daemon.connected() as (answering, asking):
            if route.shape == "archive":
                await _send_archive(request, reader, asking)
            else:
                asking.write(
                    head(request.method, request.path, request.query, {"Content-Length": "0"},
                         upgrades=upgrades)
                )  # fmt: skip
            status, told = await _answer_head(answering)
            writer.write(told)
            # Before the daemon has agreed, what a caller sends would be its next request.
            hijacked = upgrades and status == HTTPStatus.SWITCHING_PROTOCOLS
            async with asyncio.timeout(ANSWER_SECONDS):
                await _both_ways(
                    _copy(answering, writer), _copy(reader, asking if hijacked else None)
                )


def _bind(listening: socket.socket, path: Path, group: int | None) -> None:
    """Nobody finds it open before it has its mode."""
    path.unlink(missing_ok=True)
    mask = os.umask(0o177)
    try:
        listening.bind(str(path))
    finally:
        os.umask(mask)
    if group is not None:
        os.chown(path, -1, group)
    path.chmod(0o666 if group is None else 0o660)


async def _send_archive(request: Request, reader: Reader, asking: Writer) -> None:
    headers = {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}
    asking.write(head("POST", "/images/load", request.query, headers))
    archive = Archive()
    async for piece in body_of(request, reader):
        if passed := archive.feed(piece):
            asking.write(b"%x\r\n%b\r\n" % (len(passed), passed))
            await asking.drain()
    archive.end()
    asking.write(b"0\r\n\r\n")
    await asking.drain()


async def _answer_head(answering: Reader) -> tuple[int, bytes]:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            told = await answering.readuntil(b"\r\n\r\n")
        return int(told.split(b" ", 2)[1]), told
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError):
        raise DaemonError("Docker's daemon broke off") from None


async def _heard_out(reader: Reader, writer: Writer) -> None:
    """Let the caller finish, for a moment: it would lose the answer to what nobody read."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            await writer.drain()
            writer.write_eof()
            await _copy(reader, None)


async def _both_ways(*copying: Coroutine[Any, Any, None]) -> None:
    """Until either side has ended: a caller that goes leaves nothing behind."""
    tasks = [asyncio.create_task(each) for each in copying]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
                logger.warning("passing on failed: %s", type(outcome).__name__)


async def _copy(source: Reader, target: Writer | None) -> None:
    while piece := await source.read(CHUNK):
        if target is not None:
            target.write(piece)
            await target.drain()


def _raw(status: int, body: bytes) -> bytes:
    """The daemon's answer to us, as ours."""
    if status == HTTPStatus.NO_CONTENT:
        return b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body
