"""What the runner asks of an engine, and which engine answers here."""

import resource
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from sandbox.runner.channel import Channel
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.image import Image
from sandbox.runner.limits import Limits

if TYPE_CHECKING:
    from sandbox.runner.docker_engine import DockerEngine
    from sandbox.runner.embedded_engine import EmbeddedEngine

EngineName = Literal["docker", "embedded"]
RunPath = Literal["cold", "forked", "replay"]
EngineChoice = Literal["auto", "docker", "embedded"]
PathChoice = Literal["forked", "cold"]
ZYGOTES_MB = 2048.0


@dataclass(frozen=True)
class Exit:
    """How a sandbox ended. `status` is 128 + signal where a signal ended it."""

    status: int
    out_of_memory: bool


@dataclass(frozen=True)
class Usage:
    """What a sandbox took, as far as its engine can tell; None where it cannot.

    Attributes:
        cpu_ms: user and system time of all its processes, in milliseconds.
        peak_memory_mb: the most memory it held at once, in MiB.
    """

    cpu_ms: float | None = None
    peak_memory_mb: float | None = None

    @classmethod
    def told(cls, took: resource.struct_rusage) -> "Usage":
        """What waiting for a process of ours told of it and of those it waited for.

        Until it executed another program it was a copy of this process, and the kernel keeps
        that peak as its own: a peak that is not above ours may be ours, and is None.
        """
        ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak_mb = took.ru_maxrss / 1024 if took.ru_maxrss > ours else None
        return cls((took.ru_utime + took.ru_stime) * 1e3, peak_mb)


NOT_MEASURED = Usage()


@dataclass(frozen=True)
class Guarantees:
    """What holds under this engine on this machine, and what does not."""

    holds: tuple[str, ...]
    lacks: tuple[str, ...]


class Sandbox(Protocol):
    """One running sandbox; leave nothing behind: always `close()` it."""

    label: str
    channel: Channel

    def kill(self) -> None:
        """End everything in it at once. Harmless when it has ended."""

    def wait(self, timeout_seconds: float) -> Exit | None:
        """How it ended; None when it still runs after `timeout_seconds`.

        Raises:
            SandboxUnavailableError: it never got as far as running the model.
        """

    def usage(self) -> Usage:
        """What it took so far; after `close` the most that could be learned."""

    def close(self) -> None:
        """Kill it and remove container, cgroups and descriptors."""


class Engine(Protocol):
    """Something that starts sandboxes."""

    @property
    def name(self) -> EngineName: ...

    @property
    def path(self) -> RunPath:
        """How `launch` makes a sandbox: started anew, or forked."""

    def launch(self, image: Image, limits: Limits, label: str) -> Sandbox:
        """Start the image's harness under `limits`; returns before it is READY.

        Raises:
            ImageAbsentError: the image is not here.
            DiskFullError: the host has no room.
            SandboxUnavailableError: the engine is gone or refuses.
        """

    def reap(self, now: datetime) -> tuple[str, ...]:
        """End and remove sandboxes past their deadline; returns their labels."""

    def guarantees(self) -> Guarantees:
        """What this engine promises on this machine."""

    def close(self) -> None:
        """Let go of what the engine keeps between sandboxes; it starts none afterwards."""


def available_engine(
    choice: EngineChoice = "auto",
    *,
    path: PathChoice = "cold",
    runtime: str | None = None,
    approved: Collection[Path] = (),
    zygotes_mb: float = ZYGOTES_MB,
) -> Engine:
    """The engine to use here; `auto` takes Docker when one answers.

    Args:
        choice: which engine.
        path: `forked` starts runs from zygotes; `cold` each for itself.
        runtime: Docker's OCI runtime, such as `runsc`; its default otherwise. Another
            runtime's namespaces differ: it runs cold only.
        approved: dependencies whose zygotes all providers share; see `ForkedEngine`.
        zygotes_mb: memory of zygotes above which idle ones end.

    Raises:
        SandboxUnavailableError: the chosen engine, or with `auto` every engine, is
            missing; says what to install. Or `runtime` was to be forked.
    """
    from sandbox.runner.forked_engine import ForkedEngine  # noqa: PLC0415 - imports this module

    if path == "forked" and runtime is not None:
        raise SandboxUnavailableError(
            "docker",
            f"runs cannot be forked under runtime {runtime}",
            "Set SIGNALBOX_SANDBOX_PATH=cold",
        )
    cold = _cold_engine(choice, runtime)
    if path == "cold":
        return cold
    return ForkedEngine(cold, approved=approved, zygotes_mb=zygotes_mb)


def _cold_engine(choice: EngineChoice, runtime: str | None) -> "DockerEngine | EmbeddedEngine":
    from sandbox.runner.docker_engine import DockerEngine  # noqa: PLC0415 - both import this module
    from sandbox.runner.embedded_engine import EmbeddedEngine  # noqa: PLC0415

    if choice == "docker":
        return DockerEngine(runtime=runtime)
    if choice == "embedded":
        return EmbeddedEngine()
    try:
        return DockerEngine(runtime=runtime)
    except SandboxUnavailableError as no_docker:
        try:
            return EmbeddedEngine()
        except SandboxUnavailableError as no_bubblewrap:
            raise SandboxUnavailableError(
                "any",
                f"no engine answers: {no_docker}; {no_bubblewrap}",
                "Start Docker, or install bubblewrap (apt-get install bubblewrap)",
            ) from no_bubblewrap
