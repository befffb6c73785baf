"""A throwaway image made from this host's Python, for both engines.

Three directories for the embedded engine; for Docker the same three as the
layers of an image loaded without a registry. Layers that Docker already holds
are left out of an archive, so a second source costs milliseconds.
"""

import compileall
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docker
import polars as pl
import pytest

from sandbox.runner.docker_engine import DockerEngine
from sandbox.runner.embedded_engine import EmbeddedEngine
from sandbox.runner.embedded_sandbox import EmbeddedSandbox
from sandbox.runner.engine import Engine, Guarantees, Sandbox
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.forked_engine import ForkedEngine
from sandbox.runner.image import Image
from sandbox.runner.limits import Limits
from sandbox.runner.run import Feed
from signalbox import Manifest, parse_manifest

CHECKOUT = Path(__file__).parents[2]
PACKAGES = Path(docker.__file__).parents[1]
CONTRACT_MODULES = ("__init__", "forecast", "manifest", "protocol", "window")
DEPENDENCIES = ("polars", "_polars_runtime_32", "numpy", "numpy.libs", "msgspec")
NOT_NEEDED = re.compile(r"^(test|tests|idlelib|lib2to3|ensurepip|tkinter|turtledemo|config-.*)$")
# Debian's, whichever Python runs the tests: another may be linked otherwise.
PYTHON = Path("/usr/bin/python3.11")
LOADER = Path("/lib64/ld-linux-x86-64.so.2")

SLOT = datetime(2026, 1, 5, 12, tzinfo=UTC)
MANIFEST = """
[signal]
name = "hostile"
title = "A model of these tests"
[forecast]
symbols = ["EURUSD", "GBPUSD"]
horizons_hours = [1, 4]
quantiles = [0.1, 0.5, 0.9]
lookback_hours = 100
[offer]
price = "29.00"
"""

ENGINES: dict[str, Callable[[], Engine]] = {
    "docker": DockerEngine,
    "embedded": EmbeddedEngine,
    "docker-forked": lambda: ForkedEngine(DockerEngine()),
    "embedded-forked": lambda: ForkedEngine(EmbeddedEngine()),
}
ImageFactory = Callable[[dict[str, str]], Image]


def required_here() -> bool:
    return os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1"


def an_engine(name: str) -> Engine:
    """The engine, or a skipped test; a failed one where the machine must have it."""
    try:
        return ENGINES[name]()
    except SandboxUnavailableError as error:
        if required_here():
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but: {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="session", params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    found = an_engine(request.param)
    yield found
    found.close()


@pytest.fixture(scope="session")
def both_engines() -> Iterator[list[Engine]]:
    docker_engine, embedded = an_engine("docker"), an_engine("embedded")
    yield [docker_engine, embedded]
    docker_engine.close()


class LocalEngine:
    """Any command on pipes, without a sandbox: for programs of these tests' own."""

    name = "embedded"

    def __init__(self, command: list[str], **options: Any) -> None:
        self._command = command
        self._options = options

    def launch(self, image: Image, limits: Limits, label: str) -> Sandbox:  # noqa: ARG002
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **self._options,
        )
        return EmbeddedSandbox(label, process, limits, group=None, status_fd=-1)

    def reap(self, now: datetime) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def guarantees(self) -> Guarantees:
        return Guarantees((), ("everything",))


@pytest.fixture(scope="session")
def local_engine() -> type[LocalEngine]:
    return LocalEngine


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    """Two symbols, two horizons, three quantiles."""
    return parse_manifest(MANIFEST)


@pytest.fixture(scope="session")
def feed() -> Callable[..., Feed]:
    """`feed(hours=0)`: a slot so many hours after `SLOT`, with 100 bars a symbol."""

    def made(hours: int = 0) -> Feed:
        as_of = SLOT + timedelta(hours=hours)
        tables = {symbol: table(as_of) for symbol in ("EURUSD", "GBPUSD")}
        return Feed(as_of, tables, lambda _, start, end: table(end, start))

    return made


def table(end: datetime, start: datetime | None = None) -> bytes:
    """Bars of [start, end), whose close counts hours, as an Arrow IPC stream."""
    start = start or end - timedelta(hours=100)
    opened = pl.datetime_range(
        start, end, "1h", closed="left", time_unit="us", time_zone="UTC", eager=True
    )
    close = (opened.to_physical() // 3_600_000_000).cast(pl.Float64)
    names = ("open", "high", "low", "close", "volume")
    frame = pl.DataFrame({"ts_open": opened} | dict.fromkeys(names, close))
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def throwaway_image() -> Iterator[ImageFactory]:
    # Not under pytest's tmp_path: the embedded engine's user must be able to walk there.
    home = Path(tempfile.mkdtemp(prefix="signalbox-image-", dir="/var/tmp"))
    home.chmod(0o755)
    maker = _Maker(home)
    yield maker.image
    maker.remove()


class _Maker:
    def __init__(self, home: Path) -> None:
        self._home = home
        self._base = home / "base"
        self._dependencies = home / "dependencies"
        self._made: dict[str, Image] = {}
        _make_base(self._base)
        _make_dependencies(self._dependencies)
        self._docker = _docker_client()
        self._layers: list[bytes] = []
        self._loaded = False

    def image(self, source_files: dict[str, str]) -> Image:
        key = hashlib.sha256(json.dumps(source_files, sort_keys=True).encode()).hexdigest()[:16]
        if key not in self._made:
            source = self._home / "source" / key
            source.mkdir(parents=True)
            for name, text in source_files.items():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).write_text(text)
            digest = self._load(source) if self._docker else f"sha256:{key}"
            self._made[key] = Image(digest, self._base, self._dependencies, source)
        return self._made[key]

    def remove(self) -> None:
        if self._docker:
            for image in self._made.values():
                self._docker.remove_image(image.digest, force=True)
            self._docker.close()
        shutil.rmtree(self._home)

    def _load(self, source: Path) -> str:
        if not self._layers:
            self._layers = [
                _layer(self._base, ""),
                _layer(self._dependencies, "opt/dependencies"),
            ]
        layers = [*self._layers, _layer(source, "srv/signal")]
        names = [f"{hashlib.sha256(layer).hexdigest()}.tar" for layer in layers]
        configuration = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {},
                "rootfs": {
                    "type": "layers",
                    "diff_ids": [f"sha256:{name.removesuffix('.tar')}" for name in names],
                },
            }
        ).encode()
        digest = hashlib.sha256(configuration).hexdigest()
        manifest = [{"Config": f"{digest}.json", "RepoTags": None, "Layers": names}]
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            _add(tar, f"{digest}.json", configuration)
            _add(tar, "manifest.json", json.dumps(manifest).encode())
            for name, layer in list(zip(names, layers, strict=True))[2 if self._loaded else 0 :]:
                _add(tar, name, layer)
        answer = list(self._docker.load_image(archive.getvalue()))
        assert self._docker.inspect_image(f"sha256:{digest}"), answer
        self._loaded = True
        # It opens itself again; idle connections would look like what a test left behind.
        self._docker.close()
        return f"sha256:{digest}"


def _docker_client() -> docker.APIClient | None:
    try:
        DockerEngine().close()  # docker-py leaks a socket to a daemon that does not answer
        return docker.APIClient(version="auto", timeout=120)
    except SandboxUnavailableError as error:
        warnings.warn(
            f"no Docker, images are made for the embedded engine only: {error}", stacklevel=2
        )
        return None


def _make_base(base: Path) -> None:
    for directory in ("usr/bin", "usr/lib64", "etc", "tmp", "proc", "sys", "dev"):
        (base / directory).mkdir(parents=True)
    for directory in ("opt/dependencies", "srv/signal"):
        (base / directory).mkdir(parents=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        (base / name).symlink_to(f"usr/{name}")
    _link(PYTHON, base / "usr/bin/python3.11")
    shutil.copytree(
        "/usr/lib/python3.11",
        base / "usr/lib/python3.11",
        copy_function=_link,
        ignore=lambda _, names: [name for name in names if NOT_NEEDED.match(name)],
        ignore_dangling_symlinks=True,
    )
    for library in _shared_libraries():
        target = base / "usr/lib/x86_64-linux-gnu" / library.name
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(library.resolve(), target)
    _link(LOADER.resolve(), base / "usr/lib64" / LOADER.name)
    # As the base image has: times of polars become Python's by it.
    zones = base / "usr/share/zoneinfo"
    zones.mkdir(parents=True)
    _link(Path("/usr/share/zoneinfo/UTC"), zones / "UTC")
    contract = base / "opt/signalbox/signalbox"
    contract.mkdir(parents=True)
    for module in CONTRACT_MODULES:
        shutil.copy2(CHECKOUT / f"sandbox/sdk/src/signalbox/{module}.py", contract)
    harness = base / "opt/signalbox/harness"
    harness.mkdir()
    for module in (CHECKOUT / "sandbox/harness").glob("*.py"):
        shutil.copy2(module, harness)
    compileall.compile_dir(base / "opt", quiet=2, stripdir=str(base), prependdir="/")


def _make_dependencies(dependencies: Path) -> None:
    for name in DEPENDENCIES:
        shutil.copytree(
            PACKAGES / name,
            dependencies / name,
            copy_function=_link,
            ignore=lambda _, names: [name for name in names if NOT_NEEDED.match(name)],
        )
    # Half of a cold start is compiling, where it has not been done before.
    compileall.compile_dir(
        dependencies, quiet=2, workers=0, stripdir=str(dependencies), prependdir="/opt/dependencies"
    )


def _shared_libraries() -> set[Path]:
    binaries = [
        PYTHON,
        *Path("/usr/lib/python3.11/lib-dynload").glob("*.so"),
    ]
    for name in DEPENDENCIES:
        binaries += (PACKAGES / name).rglob("*.so*")
    found = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False).stdout
    return {Path(path) for path in re.findall(r"=> (/(?:usr/)?lib/\S+)", found)}


def _link(origin: str | Path, target: str | Path) -> None:
    try:
        os.link(Path(origin).resolve(), target)
    except OSError:
        shutil.copy2(origin, target)


def _layer(directory: Path, prefix: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(directory, arcname=prefix or ".")
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
