"""Where `signalbox test` runs a model: in the platform's sandbox where there is one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from signalbox.manifest import Manifest
from signalbox.testing.plain import plain_processes
from signalbox.testing.process import Launch

GROUP = "signalbox.runners"
PLAIN = "a plain process: NOT the sandbox. What the platform refuses is not refused here."


class RunnerUnavailableError(RuntimeError):
    """The platform is installed, but cannot run a model on this machine; says why."""


@dataclass(frozen=True)
class Runner:
    """Starts processes; `name` says where, for people."""

    name: str
    launch: Launch
    is_sandbox: bool


ProvideRunner = Callable[[Path, Manifest, str], AbstractContextManager[Runner]]
"""What an entry point of group `signalbox.runners` is: folder, manifest and label to a runner."""


@contextmanager
def runner_for(
    folder: Path, manifest: Manifest, label: str, *, plain: bool = False
) -> Iterator[Runner]:
    """The best runner here.

    Args:
        folder: of the signal.
        manifest: its.
        label: names the version, and seeds its randomness.
        plain: do not look for a sandbox.
    """
    found = () if plain else tuple(entry_points(group=GROUP))
    if not found:
        yield Runner(PLAIN, plain_processes(folder, manifest, label), is_sandbox=False)
        return
    provide: ProvideRunner = found[0].load()
    with provide(folder, manifest, label) as runner:
        yield runner
