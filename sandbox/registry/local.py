"""The platform's runner for `signalbox test`: a folder, built and run as a push would be."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sandbox.registry.docker_image import ensure_loaded, unload
from sandbox.registry.errors import BuildError, RefusedError
from sandbox.registry.examined import sandboxes
from sandbox.registry.image import ImageStore
from sandbox.registry.lock import lock
from sandbox.registry.requirements import parse_requirements
from sandbox.runner.engine import available_engine
from sandbox.runner.errors import SandboxError
from signalbox import Manifest
from signalbox.testing import NoAnswerError
from signalbox.testing.runner import Runner, RunnerUnavailableError
from sql.clock import system_clock


@contextmanager
def runner(folder: Path, manifest: Manifest, label: str) -> Iterator[Runner]:
    """Build an image of `folder` as it stands, and run it cold.

    Raises:
        NoAnswerError: the requirements are refused, as the gate would.
        RunnerUnavailableError: no engine answers, or no base image can be built.
    """
    store = ImageStore(Path(os.environ.get("SIGNALBOX_IMAGE_STORE") or _cache()))
    try:
        digest = _built(store, folder)
        engine = available_engine()
    except RefusedError as error:
        raise NoAnswerError(str(error)) from error
    except (BuildError, SandboxError) as error:
        raise RunnerUnavailableError(str(error)) from error
    with closing(engine):
        if engine.name == "docker":
            ensure_loaded(store, digest)
        try:
            launch = sandboxes(engine, store.open(digest), manifest, label)
            yield Runner(f"the platform's sandbox, {engine.name}", launch, is_sandbox=True)
        finally:
            if engine.name == "docker":
                unload(digest)


def _built(store: ImageStore, folder: Path) -> str:
    files = {name: ((folder / name).read_bytes(), False) for name in _names(folder)}
    requirements, _ = files.get("requirements.txt", (b"", False))
    locked = lock(parse_requirements(requirements.decode()), now=system_clock(), cache=store.cache)
    base, dependencies = store.base(), store.dependencies(locked)
    return store.add(base=base, dependencies=dependencies, files=files).digest


def _names(folder: Path) -> list[str]:
    """What a commit of the folder would hold; outside git, everything but hidden files."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
    else:
        paths = (path.relative_to(folder) for path in folder.rglob("*"))
        names = [str(path) for path in paths if not any(p.startswith(".") for p in path.parts)]
    return sorted(name for name in names if (folder / name).is_file())


def _cache() -> Path:
    """Where the sandbox' user can walk to: not below root's home."""
    if os.geteuid() == 0:
        return Path("/var/cache/signalbox/images")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "signalbox" / "images"
