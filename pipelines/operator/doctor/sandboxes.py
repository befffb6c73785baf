"""What the sandbox guarantees on this machine, and whether that holds."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import msgspec

from pipelines.operator.doctor.finding import Finding, miss, ok, warn
from sandbox.registry.docker_image import ensure_loaded, unload
from sandbox.registry.errors import BuildError, LockError
from sandbox.registry.image import ImageStore
from sandbox.registry.lock import lock
from sandbox.registry.smoke import made_up_feed
from sandbox.runner import probes
from sandbox.runner.engine import Engine, EngineName, PathChoice, available_engine
from sandbox.runner.errors import SandboxError
from sandbox.runner.run import run_cold
from signalbox import parse_manifest

WAYS: tuple[tuple[EngineName, PathChoice], ...] = tuple(
    product(get_args(EngineName), get_args(PathChoice))
)
LABEL = "signalbox/doctor v1.0.0"


def examine_sandboxes() -> Iterator[Finding]:
    """What each engine guarantees here; one is needed."""
    there = []
    for name in get_args(EngineName):
        finding = _engine(name)
        there.append(finding.state == "ok")
        yield finding
    if any(there):
        yield ok("sandbox", f"an engine answers, and {len(probes.PROBES)} escapes are there to try")
    else:
        yield miss("sandbox", "no engine answers", "install bubblewrap or start Docker")


class Probed(msgspec.Struct, frozen=True):
    """What came of all escape attempts on one engine.

    Attributes:
        engine: its name and path, as in `docker forked`.
        held: names of the attempts that were refused.
        known: those that got through, as the engine's guarantees say they would.
        leaked: those that got through unannounced, with what they got.
        not_run: why nothing was tried; None when it was.
    """

    engine: str
    held: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    leaked: tuple[str, ...] = ()
    not_run: str | None = None


def report(probed: Iterable[Probed]) -> Iterator[str]:
    """Lines for people."""
    for each in probed:
        if each.not_run is not None:
            yield f"none escapes under {each.engine}: not tried: {each.not_run}"
            continue
        known = f"; known not to be stopped: {', '.join(each.known)}" if each.known else ""
        mark = "LEAK" if each.leaked else "ok  "
        yield f"{mark} escapes under {each.engine}: {len(each.held)} held{known}"
        yield from (f"     leaked: {leak}" for leak in each.leaked)


@contextmanager
def some_store(images: Path) -> Iterator[ImageStore]:
    """The installation's image store; where there is none, one that goes away again."""
    if images.is_dir():
        yield ImageStore(images)
        return
    # Where the sandbox' user can walk to.
    with TemporaryDirectory(prefix="signalbox-doctor-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield ImageStore(Path(folder))


def probe_all(store: ImageStore, now: datetime) -> Iterator[Probed]:
    """Try every escape on every engine and path there is, from an image made for it in `store`.

    Raises:
        BuildError: the image cannot be built; says how to get one.
    """
    digest = _image(store, now)
    for name, path in WAYS:
        way = f"{name} {path}"
        try:
            with ExitStack() as undo:
                engine = available_engine(name, path=path)
                if engine.name == "docker":
                    undo.callback(unload, digest)  # when no zygote uses it any more
                undo.callback(engine.close)
                yield _probed(way, engine, store, digest)
        except SandboxError as error:
            yield Probed(way, not_run=str(error))


def _image(store: ImageStore, now: datetime) -> str:
    files = {
        "app.py": (probes.app_source().encode(), False),
        "signal.toml": (probes.MANIFEST.encode(), False),
    }
    try:
        locked = lock([], now=now, cache=store.cache)
        base, dependencies = store.base(), store.dependencies(locked)
    except (BuildError, LockError) as error:
        raise BuildError(
            f"no image to try escapes from: {error}. Build one where Debian's mirror and a package"
            " index can be reached (signalbox image base --home DIR), and name that folder with"
            " --home; or look only, with --quick"
        ) from error
    return store.add(base=base, dependencies=dependencies, files=files).digest


def _probed(way: str, engine: Engine, store: ImageStore, digest: str) -> Probed:
    manifest = parse_manifest(probes.MANIFEST)
    if engine.name == "docker":
        ensure_loaded(store, digest)
    result = run_cold(engine, store.open(digest), manifest, LABEL, made_up_feed(manifest))
    if result.missed is not None:
        return Probed(way, leaked=(f"the probes were not answered: {result.missed}",))
    judged = probes.judged(result.log, engine.guarantees().lacks)
    return Probed(
        way,
        held=tuple(each.probe.name for each in judged if each.held and not each.known),
        known=tuple(each.probe.name for each in judged if each.held and each.known),
        leaked=probes.leaks(result.log, engine.guarantees().lacks),
    )


def _engine(name: EngineName) -> Finding:
    subject = f"sandbox {name}"
    try:
        with closing(available_engine(name)) as engine:
            guarantees = engine.guarantees()
    except SandboxError as error:
        return warn(subject, str(error), "needed only if the other engine is not to be had")
    lacks = f"; lacks {', '.join(guarantees.lacks)}" if guarantees.lacks else ""
    return ok(subject, f"holds {', '.join(guarantees.holds)}{lacks}")
