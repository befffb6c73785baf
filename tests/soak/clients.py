"""Who uses the installation while it is struck: readers, a follower of the stream, a pusher.

Each notes what went wrong, and from when to when it was asking; whether a kill excuses it is
judged at the end, when it is known how long each service was away.
"""

import contextlib
import json
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

import httpx

from tests.soak.installation import PUSHED, Soaked

PAUSE_SECONDS = 0.7
PUSH_PAUSE_SECONDS = (30.0, 90.0)
STREAM_SECONDS = 60.0  # the stream says something more often
ANSWER_SECONDS = 30.0
# Whose death a client may notice.
NEEDED = {
    "subscriber": ("api", "postgres"),
    "anybody": ("api", "postgres"),
    "follower": ("api", "postgres"),
    # A push is tried in a sandbox, and nobody can tell a kill from a crash of the model's own.
    "pusher": ("git", "postgres", "sandbox"),
}


@dataclass(frozen=True)
class Trouble:
    """Something that a client saw fail, between two instants of `time.monotonic`."""

    who: str
    what: str
    began: float
    ended: float
    can_be_excused: bool


@dataclass
class Clients:
    """Threads that use the API, the stream and git until they are told to stop."""

    soaked: Soaked
    seed: int
    pushes: bool = True
    requests: int = 0
    events: int = 0
    pushed: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        jobs: list[Callable[[], None]] = [self._read_as_subscriber, self._read_as_anybody,
                                          self._follow]  # fmt: skip
        if self.pushes:
            jobs.append(self._push)
        for job in jobs:
            self._threads.append(threading.Thread(target=job, daemon=True))
            self._threads[-1].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _read_as_subscriber(self) -> None:
        signal = f"ada/{PUSHED[0]}"
        self._read("subscriber", self.soaked.people["sam"].key, (
            f"/v1/signals/{signal}/forecasts/latest", "/v1/forecasts/latest",
            f"/v1/signals/{signal}/forecasts?limit=50", "/v1/subscriptions",
        ))  # fmt: skip

    def _read_as_anybody(self) -> None:
        signal = f"ada/{PUSHED[0]}"
        self._read("anybody", None, (
            "/v1/signals", f"/v1/signals/{signal}", f"/v1/signals/{signal}/performance?window=30d",
            f"/v1/signals/{signal}/track-record", "/log/checkpoint", "/readyz",
        ))  # fmt: skip

    def _read(self, who: str, key: str | None, paths: tuple[str, ...]) -> None:
        while not self._over.is_set():
            with httpx.Client(base_url=self.soaked.home.api_url, timeout=ANSWER_SECONDS) as client:
                if key:
                    client.headers["Authorization"] = f"Bearer {key}"
                for path in paths:
                    self._get(client, who, path)
                    self._over.wait(PAUSE_SECONDS)

    def _get(self, client: httpx.Client, who: str, path: str) -> None:
        began = time.monotonic()
        self.requests += 1
        try:
            answer = client.get(path)
        except httpx.TransportError as error:
            self._note(who, f"{path}: {type(error).__name__}: {error}", began, True)
            return
        if answer.is_error:
            self._note(
                who, f"{path}: {answer.status_code} {answer.text[:200]}", began,
                answer.status_code >= 500,
            )  # fmt: skip

    def _follow(self) -> None:
        """Follow the stream, resuming where it broke; no event may come twice."""
        seen: set[str] = set()
        last = ""
        while not self._over.is_set():
            began = time.monotonic()
            headers = {"Authorization": f"Bearer {self.soaked.people['sam'].key}"}
            if last:
                headers["Last-Event-ID"] = last
            try:
                with (
                    httpx.Client(base_url=self.soaked.home.api_url, timeout=STREAM_SECONDS) as http,
                    http.stream("GET", "/v1/stream", headers=headers) as answer,
                ):
                    if answer.is_error:
                        self._note("follower", f"/v1/stream: {answer.status_code}", began,
                                   answer.status_code >= 500)  # fmt: skip
                    else:
                        for id_ in self._ids(answer):
                            began = time.monotonic()
                            if id_ in seen:
                                self._note("follower", f"event {id_} came twice", began, False)
                            seen.add(id_)
                            last, self.events = id_, self.events + 1
            except httpx.TransportError as error:
                self._note("follower", f"/v1/stream: {type(error).__name__}", began, True)
            self._over.wait(1)

    def _ids(self, answer: httpx.Response) -> Iterator[str]:
        id_ = ""
        for line in answer.iter_lines():
            if self._over.is_set():
                return
            if line.startswith("id:"):
                id_ = line.removeprefix("id:").strip()
            elif line.startswith("data:") and id_:
                with contextlib.suppress(ValueError):
                    json.loads(line.removeprefix("data:"))
                yield id_
                id_ = ""

    def _push(self) -> None:
        """Push the next version of one example after the other; what is refused is tried anew."""
        dice = random.Random(self.seed + 1)  # noqa: S311 - when to push is no secret
        number = 0
        while not self._over.wait(dice.uniform(*PUSH_PAUSE_SECONDS)):
            number += 1
            name, began = PUSHED[0], time.monotonic()
            try:
                self.soaked.push(name, f"v1.{number}.0")
                self.pushed += 1
            except (RuntimeError, subprocess.CalledProcessError) as error:
                self._note("pusher", f"v1.{number}.0: {error}", began, True)

    def _note(self, who: str, what: str, began: float, can_be_excused: bool) -> None:
        self.troubles.append(Trouble(who, what, began, time.monotonic(), can_be_excused))
