"""Docker's daemon, asked by this process in its own words. One request per connection."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

import h11

from sandbox.docker_proxy.errors import DaemonError

HEAD_BYTES = 65_536
ANSWER_BYTES = 32 << 20
ASK_SECONDS = 30.0
CHUNK = 65_536


class Daemon:
    """Where it listens."""

    def __init__(self, path: str) -> None:
        self._path = path

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection for one request.

        Raises:
            DaemonError: nobody listens.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(self._path, limit=HEAD_BYTES)
        except OSError as error:
            raise DaemonError(f"Docker's daemon does not answer: {error}") from error
        try:
            yield reader, writer
        finally:
            writer.close()

    async def ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> tuple[int, bytes]:
        """Status and body of an answer that is not a stream.

        Raises:
            DaemonError: it does not answer, or not in HTTP.
        """
        sent = b"" if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if sent else {}
        try:
            async with asyncio.timeout(ASK_SECONDS), self.connected() as (reader, writer):
                writer.write(head(method, path, query, kind | {"Content-Length": str(len(sent))}))
                writer.write(sent)
                return await _answer(reader)
        except TimeoutError:
            raise DaemonError(f"Docker's daemon took more than {ASK_SECONDS:g} s") from None
        except (OSError, h11.RemoteProtocolError) as error:
            raise DaemonError(f"Docker's daemon broke off: {error}") from error


def head(
    method: str,
    path: str,
    query: Mapping[str, str] | None,
    headers: Mapping[str, str],
    *,
    upgrades: bool = False,
) -> bytes:
    """The head of a request, after whose answer the connection ends."""
    target = path + (f"?{urlencode(query)}" if query else "")
    ending = {"Connection": "Upgrade", "Upgrade": "tcp"} if upgrades else {"Connection": "close"}
    lines = [f"{name}: {value}" for name, value in {"Host": "docker", **headers, **ending}.items()]
    return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode("ascii")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    parser = h11.Connection(h11.CLIENT)
    # What was asked was written by `head`: the parser need only know that something was.
    parser.send(h11.Request(method="POST", target="/", headers=[("Host", "docker")]))
    parser.send(h11.EndOfMessage())
    status, body = 0, bytearray()
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            parser.receive_data(await reader.read(CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > ANSWER_BYTES:
                raise DaemonError("Docker's daemon answered without end")
        elif isinstance(event, h11.EndOfMessage):
            return status, bytes(body)
        elif isinstance(event, h11.ConnectionClosed):
            raise DaemonError("Docker's daemon broke off")
