"""Smart HTTP: `/git/<provider>/<name>.git` in front of `git http-backend`.

A raw ASGI application, because the answer of a push is long and must stream:
the pusher sees every `remote:` line while the build runs. Only the three smart
endpoints exist. A key with scope `push` is the Basic password; whoever asks for
a repository that is not theirs is told that there is none.
"""

import asyncio
import base64
import binascii
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from sandbox.git.repository import (
    NAME,
    Quarantines,
    ensure_repository,
    git_environment,
    write_hooks,
)
from sandbox.git.settings import GitSettings
from sandbox.registry.lock import PASSED_ON
from sql.api_key import KeyHolder, find_key
from sql.clock import system_clock
from sql.roles import conninfo

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PATH = re.compile(
    rf"/git/(?P<provider>{NAME.pattern})/(?P<name>{NAME.pattern})\.git"
    r"/(?P<end>info/refs|git-upload-pack|git-receive-pack)"
)
SERVICES = ("git-upload-pack", "git-receive-pack")
MAX_BODY_BYTES = 26 * 1024 * 1024
BODY_SECONDS = 120
# A hook that is told to end frees its reservation and its sandbox first.
END_SECONDS = 10
CHUNK = 65_536


class RefusedRequestError(Exception):
    """Answered with a status and one line of text."""

    def __init__(self, status: int, message: str, *, ask_password: bool = False) -> None:
        self.status = status
        self.message = message
        self.ask_password = ask_password
        super().__init__(message)


@dataclass(frozen=True)
class _Request:
    method: str
    provider: str
    name: str
    end: str
    query: str
    headers: dict[str, str]


def create_app(settings: GitSettings) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application of the git process."""
    hooks = write_hooks(settings.root)
    environment = {**git_environment(hooks), **_hook_environment()}
    quarantines = Quarantines()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        try:
            if scope["path"] == "/healthz":
                await _text(send, 200, "ok")
                return
            request = _parse(scope)
            person = await asyncio.to_thread(_authenticate, settings, request)
            repository = await asyncio.to_thread(
                ensure_repository, settings.root, request.provider, request.name
            )
            with quarantines.push(repository):
                await _backend(request, person, repository, environment, settings, receive, send)
        except RefusedRequestError as refusal:
            await _text(send, refusal.status, refusal.message, ask_password=refusal.ask_password)

    return app


def _hook_environment() -> dict[str, str]:
    """What hooks inherit of ours: settings, where wheels come from, and nothing else."""
    kept = (*PASSED_ON, "HOME", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
    own = {name: value for name, value in os.environ.items() if name.startswith("SIGNALBOX_")}
    return {**own, **{name: os.environ[name] for name in kept if name in os.environ}}


def _parse(scope: Scope) -> _Request:
    match = PATH.fullmatch(scope["path"])
    if match is None:
        raise RefusedRequestError(404, "no such repository: use /git/<provider>/<name>.git")
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    end, method = match["end"], scope["method"]
    if end == "info/refs":
        if method != "GET" or query not in {f"service={service}" for service in SERVICES}:
            raise RefusedRequestError(404, "only git's smart protocol is spoken here")
    elif method != "POST":
        raise RefusedRequestError(405, "POST only")
    if headers.get("content-encoding", "identity") != "identity" and end == "git-receive-pack":
        raise RefusedRequestError(415, "compressed request bodies are not taken")
    if int(headers.get("content-length", "0") or 0) > MAX_BODY_BYTES:
        raise RefusedRequestError(413, f"a push is at most {MAX_BODY_BYTES // 1024**2} MB")
    return _Request(method, match["provider"], match["name"], end, query, headers)


def _authenticate(settings: GitSettings, request: _Request) -> KeyHolder:
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        password = base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        password = ""
    person = None
    if kind.lower() == "basic" and password:
        with psycopg.connect(conninfo(settings.database_url), autocommit=True) as connection:
            person = find_key(connection, password, settings.environment, system_clock())
    if person is None:
        raise RefusedRequestError(
            401, "give an API key with scope push as the password", ask_password=True
        )
    if "push" not in person.scopes:
        raise RefusedRequestError(403, "this API key lacks the scope push")
    if person.handle != request.provider:
        raise RefusedRequestError(404, "no such repository among yours")
    return person


async def _backend(
    request: _Request,
    person: KeyHolder,
    repository: Path,
    environment: dict[str, str],
    settings: GitSettings,
    receive: Receive,
    send: Send,
) -> None:
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=None,
        start_new_session=True,
        env={
            **environment,
            "GIT_PROJECT_ROOT": str(settings.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{request.provider}/{request.name}.git/{request.end}",
            "QUERY_STRING": request.query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "REMOTE_USER": person.handle,
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "SIGNALBOX_PUSH_USER": str(person.user_id),
            "SIGNALBOX_PUSH_SIGNAL": f"{request.provider}/{request.name}",
            "SIGNALBOX_PUSH_REPOSITORY": str(repository),
        },
    )
    answering = asyncio.create_task(_answer(process, send))
    leaving = asyncio.create_task(_feed_until_gone(process, receive))
    try:
        # A client that goes away takes its build with it.
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not answering.done():
            await _end_group(process.pid)
        await process.wait()
        await _settled(answering, leaving)


async def _end_group(group: int) -> None:
    """End git, its hook and what that started; by force what does not end when told."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        for _ in range(END_SECONDS * 10):
            await asyncio.sleep(0.1)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)


async def _settled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        if not task.done():
            task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


async def _feed_until_gone(process: asyncio.subprocess.Process, receive: Receive) -> None:
    """Hand git the body; returns when the client has gone, however long that takes."""
    await _feed(process, receive)
    while (await receive())["type"] != "http.disconnect":
        pass


async def _feed(process: asyncio.subprocess.Process, receive: Receive) -> None:
    assert process.stdin is not None  # noqa: S101 - opened as a pipe
    taken = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in _body(receive):
                taken += len(chunk)
                if taken > MAX_BODY_BYTES:
                    break
                process.stdin.write(chunk)
                await process.stdin.drain()
    except (ConnectionError, TimeoutError):
        pass
    finally:
        process.stdin.close()


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


async def _answer(process: asyncio.subprocess.Process, send: Send) -> None:
    """Pass on the CGI answer: headers, an empty line, then the body as it comes."""
    assert process.stdout is not None  # noqa: S101 - opened as a pipe
    status, headers = 200, []
    while line := (await process.stdout.readline()).strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"status":
            status = int(value.split()[0])
        else:
            headers.append((name.lower(), value.strip()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    while chunk := await process.stdout.read(CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _text(send: Send, status: int, message: str, *, ask_password: bool = False) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if ask_password:
        headers.append((b"www-authenticate", b'Basic realm="signalbox"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": message.encode() + b"\n"})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
