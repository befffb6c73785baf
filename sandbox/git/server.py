"""Smart HTTP: `/git/<provider>/<name>.git` in front of `git http-backend`.

A raw ASGI application, because the answer of a push is long and must stream:
the pusher sees every `remote:` line while the build runs. Only the three smart
endpoints exist. A key with scope `push` is the Basic password; whoever asks for
a repository that is not theirs is told that there is none.
"""

import asyncio
import contextlib
import os
import re
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

from sandbox.git import backend
from sandbox.git.backend import Receive, Send
from sandbox.git.commands import Commands
from sandbox.git.limits import MAX_BODY_BYTES, MB
from sandbox.git.login import WrongKeys, key_holder
from sandbox.git.measurements import Measurements
from sandbox.git.pushes import Pushes
from sandbox.git.refusals import RefusedRequestError
from sandbox.git.repository import NAME, ensure_repository, git_environment, write_hooks
from sandbox.git.settings import GitSettings
from sandbox.git.sweeper import AlreadyServedError, Sweeper
from sandbox.git.turns import Turns
from sandbox.registry.lock import PASSED_ON
from sql.api_key import KeyHolder
from sql.clock import system_clock

Scope = dict[str, Any]

PATH = re.compile(
    rf"/git/(?P<provider>{NAME.pattern})/(?P<name>{NAME.pattern})\.git"
    r"/(?P<end>info/refs|git-upload-pack|git-receive-pack)"
)
SERVICES = ("git-upload-pack", "git-receive-pack")


@dataclass(frozen=True)
class _Request:
    method: str
    provider: str
    name: str
    end: str
    query: str
    headers: dict[str, str]
    address: str

    @property
    def is_push(self) -> bool:
        return self.end == "git-receive-pack"


def create_app(settings: GitSettings) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application of the git process."""
    gate = _Gate(settings)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(gate.sweeper, receive, send)
        elif scope["path"] == "/healthz":
            await _text(send, 200, [(b"content-type", b"text/plain")], "ok")
        else:
            try:
                if scope["path"] == "/metrics":
                    await _metrics(gate.measurements, scope, send)
                else:
                    await gate.answer(_parse(scope), receive, send)
            except RefusedRequestError as refusal:
                await _text(send, refusal.status, refusal.headers, refusal.message)

    return app


class _Gate:
    """What the requests of one process share."""

    def __init__(self, settings: GitSettings) -> None:
        self._settings = settings
        self._environment = {
            # The seed dies with the process: a nonce is used within minutes, or asked for again.
            **git_environment(
                write_hooks(settings.root),
                nonce_seed=secrets.token_hex(),
                nonce_seconds=settings.push_nonce_seconds,
            ),
            **_hook_environment(),
        }
        self._wrong_keys = WrongKeys()
        self._pushes = Pushes()
        self._turns = Turns(settings.push_builds)
        self.measurements = Measurements(settings, self._pushes, self._turns)
        self.sweeper = Sweeper(settings, self._pushes)

    async def answer(self, request: _Request, receive: Receive, send: Send) -> None:
        """Let in who may, and have git answer.

        Raises:
            RefusedRequestError: before anything was answered.
        """
        if request.is_push:
            with self.measurements.push() as (variable, descriptor):
                await self._answer(request, {variable: descriptor}, receive, send)
        else:
            await self._answer(request, {}, receive, send)

    async def _answer(
        self, request: _Request, passed: dict[str, int], receive: Receive, send: Send
    ) -> None:
        person = await asyncio.to_thread(self._admit, request)
        repository = await asyncio.to_thread(
            ensure_repository, self._settings.root, request.provider, request.name
        )
        environment = {**self._environment, **_cgi(self._settings, request, person, repository)}
        if request.is_push:
            answer = _HeldEnd(send)
            async with self._pushes.push(repository, partial(self.sweeper.after_push, repository)):
                await self._push(request, environment, passed, receive, answer)
            # Whoever has heard the end finds the repository put right, and may push again.
            await answer.end()
        else:
            # A fetch is answered while it asks: too late for another status.
            with contextlib.suppress(RefusedRequestError):
                await backend.run(environment, self._settings, None, receive, send)

    async def _push(
        self,
        request: _Request,
        environment: dict[str, str],
        passed: dict[str, int],
        receive: Receive,
        send: Send,
    ) -> None:
        ours, theirs = socket.socketpair()
        turn = asyncio.create_task(self._turns.attend(ours, request.provider))
        with contextlib.closing(theirs):
            passed = {**passed, "SIGNALBOX_PUSH_TURN": theirs.fileno()}
            environment |= {name: str(descriptor) for name, descriptor in passed.items()}
            try:
                await backend.run(
                    environment, self._settings, Commands(), receive, send,
                    passed=tuple(passed.values()),
                )  # fmt: skip
            finally:
                turn.cancel()
                await asyncio.gather(turn, return_exceptions=True)

    def _admit(self, request: _Request) -> KeyHolder:
        person = key_holder(
            self._settings,
            self._wrong_keys,
            request.headers.get("authorization", ""),
            request.address,
            system_clock(),
        )
        if person.handle != request.provider:
            raise RefusedRequestError(404, "no such repository among yours")
        return person


class _HeldEnd:
    """Sends an answer at once, but for its end."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._end: dict[str, Any] | None = None

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._end = message
        else:
            await self._send(message)

    async def end(self) -> None:
        if self._end is not None:
            await self._send(self._end)


def _hook_environment() -> dict[str, str]:
    """What hooks inherit of ours: settings, where wheels come from, and nothing else."""
    kept = (*PASSED_ON, "HOME", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
    own = {name: value for name, value in os.environ.items() if name.startswith("SIGNALBOX_")}
    return {**own, **{name: os.environ[name] for name in kept if name in os.environ}}


def _cgi(
    settings: GitSettings, request: _Request, person: KeyHolder, repository: Path
) -> dict[str, str]:
    """What git is told of this request, and its hooks of this push."""
    return {
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
    }


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
        raise RefusedRequestError(413, f"a push is at most {MAX_BODY_BYTES // MB} MB")
    address = (scope.get("client") or ("",))[0]
    return _Request(method, match["provider"], match["name"], end, query, headers, address)


async def _metrics(measurements: Measurements, scope: Scope, send: Send) -> None:
    shown = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    headers = [(b"content-type", CONTENT_TYPE_LATEST.encode()), (b"cache-control", b"no-store")]
    text = measurements.written(shown)
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _text(send: Send, status: int, headers: list[tuple[bytes, bytes]], message: str) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": message.encode() + b"\n"})


async def _lifespan(sweeper: Sweeper, receive: Receive, send: Send) -> None:
    await receive()
    try:
        async with sweeper.sweeping():
            await send({"type": "lifespan.startup.complete"})
            await receive()
    except AlreadyServedError as error:
        await send({"type": "lifespan.startup.failed", "message": str(error)})
    else:
        await send({"type": "lifespan.shutdown.complete"})
