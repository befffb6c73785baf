"""One request's `git http-backend`: fed, limited, answered as it speaks, and ended.

The answer to a push begins when its body has been taken, so that a body which is
refused on the way is still told so by a status. From then on every line goes out
at once. A fetch is answered while it asks: git would not hear it out otherwise.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from sandbox.git.commands import FLUSH, Commands
from sandbox.git.limits import GIT_LIMITS, MAX_BODY_BYTES, MB
from sandbox.git.refusals import RefusedRequestError
from sandbox.git.settings import GitSettings

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# A hook that is told to end frees its reservation and its sandbox first.
END_SECONDS = 10
CHUNK = 65_536


async def run(
    environment: Mapping[str, str],
    settings: GitSettings,
    commands: Commands | None,
    receive: Receive,
    send: Send,
    *,
    passed: tuple[int, ...] = (),
) -> None:
    """Answer one request by git.

    Args:
        environment: git's whole environment.
        settings: how long a body and a push may take.
        commands: follows the body of a push; None for what is no push.
        receive: the ASGI request.
        send: the ASGI answer.
        passed: descriptors that git and its hooks inherit.

    Raises:
        RefusedRequestError: the body is too long, too slow or no push; nothing of a push was
            answered yet.
    """
    process = await asyncio.create_subprocess_exec(
        *GIT_LIMITS, "git", "http-backend",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=None,
        start_new_session=True, env=environment, pass_fds=passed,
    )  # fmt: skip
    taken = asyncio.create_task(_feed(process, settings, commands, receive))
    answering = asyncio.create_task(_answer(process, taken, send, holds=commands is not None))
    leaving = asyncio.create_task(_gone(taken, receive))
    exited = asyncio.create_task(process.wait())
    try:
        async with asyncio.timeout(settings.push_minutes * 60):
            # A client that goes away takes its build with it.
            await _first(exited, leaving, *([answering] if commands else []))
            # Git may have been killed, and its hook left alone: that holds the answer open.
            await end_group(process.pid)
            await _first(answering, leaving)
    except TimeoutError:
        pass
    finally:
        await end_group(process.pid)
        await _settled(taken, answering, leaving, exited)


async def _first(*tasks: asyncio.Task[Any]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


async def end_group(group: int) -> None:
    """End git, its hook and what that started; by force what does not end when told."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        for _ in range(END_SECONDS * 10):
            await asyncio.sleep(0.1)
            os.killpg(group, 0)
        os.killpg(group, signal.SIGKILL)


async def _settled(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        if not task.done():
            task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


async def _gone(taken: asyncio.Task[bool], receive: Receive) -> None:
    """Return when the client has gone, however long that takes."""
    await asyncio.wait({taken})
    while (await receive())["type"] != "http.disconnect":
        pass


async def _feed(
    process: asyncio.subprocess.Process,
    settings: GitSettings,
    commands: Commands | None,
    receive: Receive,
) -> bool:
    """Hand git the body; whatever is wrong with it, git's input ends.

    Returns:
        Whether all of it was read.
    """
    assert process.stdin is not None  # noqa: S101 - opened as a pipe
    try:
        async with asyncio.timeout(settings.push_body_seconds):
            await _pass_on(process.stdin, settings.push_idle_seconds, commands, receive)
    except ConnectionError:
        return False  # git has heard enough, and says why
    except TimeoutError:
        raise RefusedRequestError(
            408, f"a push must arrive within {settings.push_body_seconds} s, without a pause of"
            f" {settings.push_idle_seconds} s: push again",
        ) from None  # fmt: skip
    finally:
        process.stdin.close()
    return True


async def _pass_on(
    stdin: asyncio.StreamWriter, idle_seconds: int, commands: Commands | None, receive: Receive
) -> None:
    taken = 0
    while True:
        async with asyncio.timeout(idle_seconds):
            message = await receive()
        if message["type"] == "http.disconnect":
            return
        chunk = message.get("body", b"")
        taken += len(chunk)
        if taken > MAX_BODY_BYTES:
            raise RefusedRequestError(413, f"a push is at most {MAX_BODY_BYTES // MB} MB")
        if commands is not None:
            commands.follow(chunk)
        stdin.write(chunk)
        await stdin.drain()
        if not message.get("more_body"):
            return


async def _answer(
    process: asyncio.subprocess.Process, taken: asyncio.Task[bool], send: Send, *, holds: bool
) -> None:
    """Pass on the CGI answer: headers, an empty line, then the body as it comes."""
    if holds:
        await asyncio.wait({taken})
        if taken.exception() is not None:
            return
    assert process.stdout is not None  # noqa: S101 - opened as a pipe
    status, headers = 200, list[tuple[bytes, bytes]]()
    if taken.done() and not taken.result():
        headers.append((b"connection", b"close"))
    while line := (await process.stdout.readline()).strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"status":
            status = int(value.split()[0])
        else:
            headers.append((name.lower(), value.strip()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    end = b""
    while chunk := await process.stdout.read(CHUNK):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        end = (end + chunk)[-len(FLUSH) :]
    if holds and status == HTTPStatus.OK and end not in (b"", FLUSH):
        # Git was killed: an answer that ends well would have the pusher's git wait for more.
        return
    await send({"type": "http.response.body", "body": b""})
