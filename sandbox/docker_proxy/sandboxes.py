"""What run workers and git may ask: sandboxes, and the images that they run from."""

import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sandbox.docker_proxy.daemon import Daemon
from sandbox.docker_proxy.documents import read_document, require_equal
from sandbox.docker_proxy.errors import RefusedError
from sandbox.docker_proxy.http import Request
from sandbox.docker_proxy.rules import (
    CONTAINER,
    DIGEST,
    FLAG,
    Answered,
    Owned,
    Route,
    create,
)
from sandbox.registry.docker_image import REPOSITORY
from sandbox.runner.docker_configuration import (
    DEADLINE_LABEL,
    LABEL,
    MIB,
    cold,
    tmp_option,
)
from sandbox.runner.docker_zygote import PLACE, as_zygote
from sandbox.runner.limits import Caps, Limits
from sandbox.runner.zygote import LIMITS as ZYGOTE

NAME = "sandboxes"
DEFAULT = Limits()
LABEL_TEXT = re.compile(r"[ -~]{1,200}")
DEADLINE = re.compile(r"[0-9]{1,12}")
TMP_MB = re.compile(r".*,size=([0-9]{1,6})m,.*")
IMAGE = f"(?P<image>{DIGEST}|{REPOSITORY}:[0-9a-f]{{64}})"


class Sandboxes:
    """The rules of their socket.

    Args:
        daemon: Docker's.
        socket: at which they hold.
        zygotes: the folder in which zygotes call back.
        runtime: the OCI runtime that they must have; None: the daemon's.
    """

    name = NAME

    def __init__(self, daemon: Daemon, socket: Path, zygotes: Path, runtime: str | None) -> None:
        self._daemon = daemon
        self._runtime = runtime
        self._bind = re.compile(
            rf"({re.escape(str(zygotes))}/zygote-[0-9]{{1,12}}-[a-z0-9_]{{8}}/shown):{PLACE}:ro"
        )
        self.owned = Owned(daemon, NAME, socket)
        one = f"/containers/{CONTAINER}"
        self.routes = (
            Route("GET", "/_ping"),
            Route("GET", "/version"),
            Route("GET", f"/images/{IMAGE}/json", shape="answered", handler=self._image),
            Route("POST", f"/images/(?P<image>{DIGEST})/tag", {
                "repo": re.escape(REPOSITORY), "tag": "[0-9a-f]{64}", "force": FLAG,
            }, shape="answered", handler=self._tag),
            Route("DELETE", f"/images/(?P<image>{DIGEST})", {"force": FLAG, "noprune": FLAG},
                  shape="answered", handler=self._forget),
            Route("POST", "/images/load", {"quiet": FLAG}, shape="archive"),
            Route("GET", "/containers/json", {
                "limit": "-1", "all": FLAG, "size": "0", "trunc_cmd": FLAG, "filters": ".{1,1000}",
            }, shape="answered", handler=self._list),
            Route("POST", "/containers/create", shape="answered", handler=self._create,
                  takes_body=True),
            Route("POST", f"{one}/attach", dict.fromkeys(
                ("stdin", "stdout", "stderr", "stream"), "[01]"), shape="hijacked"),
            Route("POST", f"{one}/start"),
            Route("GET", f"{one}/json"),
            Route("GET", f"{one}/stats", {"stream": FLAG, "one-shot": FLAG}),
            Route("POST", f"{one}/wait", {"condition": "removed|not-running"}),
            Route("POST", f"{one}/kill", {"signal": "KILL|SIGKILL|9"}),
            Route("DELETE", one, {"v": FLAG, "force": FLAG, "link": "0|[Ff]alse"}),
        )  # fmt: skip

    async def _create(self, _: re.Match[str], __: Request, body: bytes) -> Answered:
        made = self.judged(read_document(body))
        made["Labels"] = made["Labels"] | self.owned.label
        return await create(self._daemon, self.owned, made)

    def judged(self, given: dict[str, Any]) -> dict[str, Any]:
        """The description that our engine makes of what varies in `given`.

        Raises:
            RefusedError: `given` is not that.
        """
        host = _object(given, "HostConfig")
        is_zygote = "Binds" in host
        expected = cold(
            _text(given, "Image", re.compile(DIGEST)),
            ZYGOTE if is_zygote else _limits(host),
            _text(_object(given, "Labels"), LABEL, LABEL_TEXT),
            int(_text(_object(given, "Labels"), DEADLINE_LABEL, DEADLINE)),
            self._runtime,
        )
        if is_zygote:
            expected = as_zygote(expected, self._shown(host["Binds"]))
            expected["HostConfig"]["NanoCpus"] = _cpus(host, ZYGOTE.cpu)
        require_equal(given, expected)
        return expected

    def _shown(self, binds: Any) -> Path:
        if isinstance(binds, list) and len(binds) == 1 and isinstance(binds[0], str):
            found = self._bind.fullmatch(binds[0])
            if found:
                return Path(found[1])
        raise RefusedError("HostConfig.Binds", f"must be one zygote's folder, at {PLACE}:ro")

    async def _list(self, _: re.Match[str], request: Request, __: bytes) -> Answered:
        """Ours alone, whatever was asked."""
        shown = {"all": request.query.get("all", "0"), "filters": self.owned.filters(LABEL)}
        return await self._daemon.ask("GET", "/containers/json", shown)

    async def _image(self, found: re.Match[str], _: Request, __: bytes) -> Answered:
        """Whether it is there, and its tags; what else an image says is not for here."""
        status, body = await self._daemon.ask("GET", f"/images/{found['image']}/json")
        if status != HTTPStatus.OK:
            return status, body
        image = json.loads(body)
        kept = {"Id": image["Id"], "RepoTags": image.get("RepoTags") or []}
        return status, json.dumps(kept).encode()

    async def _tag(self, found: re.Match[str], request: Request, _: bytes) -> Answered:
        if request.query.get("repo") != REPOSITORY:
            raise RefusedError("query repo", f"must be {REPOSITORY}")
        if f"sha256:{request.query.get('tag')}" != found["image"]:
            raise RefusedError("query tag", "must be the image's own digest")
        asked = {"repo": REPOSITORY, "tag": request.query["tag"], "force": "1"}
        return await self._daemon.ask("POST", f"/images/{found['image']}/tag", asked)

    async def _forget(self, found: re.Match[str], request: Request, _: bytes) -> Answered:
        path = f"/images/{found['image']}"
        status, body = await self._daemon.ask("GET", f"{path}/json")
        if status != HTTPStatus.OK:
            return status, body
        tags = json.loads(body).get("RepoTags") or []
        if not tags or any(not tag.startswith(f"{REPOSITORY}:") for tag in tags):
            raise RefusedError("image", "is none that a provider published")
        return await self._daemon.ask("DELETE", path, dict(request.query))


def _limits(host: dict[str, Any]) -> Limits:
    """What a run may vary in, no more than the platform ever gives it."""
    memory = _number(host, "Memory", 1, Caps().memory_mb * MIB)
    tmp = host.get("Tmpfs")
    found = TMP_MB.fullmatch(str(tmp.get(PLACE))) if isinstance(tmp, dict) else None
    if found is None or int(found[1]) > DEFAULT.tmp_mb or tmp != {PLACE: tmp_option(int(found[1]))}:
        raise RefusedError("HostConfig.Tmpfs", f"must be {PLACE}, at most {DEFAULT.tmp_mb} MiB")
    if memory % MIB:
        raise RefusedError("HostConfig.Memory", "must be whole MiB")
    return Limits(
        memory_mb=memory // MIB,
        pids=_number(host, "PidsLimit", 1, DEFAULT.pids),
        cpu=_cpus(host, DEFAULT.cpu) / 1e9,
        tmp_mb=int(found[1]),
    )


def _cpus(host: dict[str, Any], most: float) -> int:
    return _number(host, "NanoCpus", 1, int(most * 1e9))


def _number(host: dict[str, Any], name: str, least: int, most: int) -> int:
    value = host.get(name)
    if type(value) is not int or not least <= value <= most:
        raise RefusedError(f"HostConfig.{name}", f"must be a number from {least} to {most}")
    return value


def _object(given: dict[str, Any], name: str) -> dict[str, Any]:
    value = given.get(name)
    if not isinstance(value, dict):
        raise RefusedError(name, "is missing")
    return value


def _text(given: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise RefusedError(name, f"must be {pattern.pattern}")
    return value
