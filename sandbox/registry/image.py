"""Images: three layers and a configuration, addressed by one digest.

The digest is the sha256 of the configuration, which names the layers by the
sha256 of their bytes. That is also the id Docker gives the image when it loads
it, so both engines run the same thing under the same name.
"""

import fcntl
import hashlib
import os
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.registry.base import build_base, runtime_files
from sandbox.registry.errors import BuildError
from sandbox.registry.integrity import Alarm, AlteredError, Finding, to_log
from sandbox.registry.layer import LayerStore, compile_python
from sandbox.registry.lock import Lock, install
from sandbox.runner.image import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPENDENCIES = "opt/dependencies"
SOURCE = "srv/signal"


@dataclass(frozen=True)
class BuiltImage:
    """An image's digest, and those of its layers."""

    digest: str
    base: str
    dependencies: str
    source: str


class ImageStore:
    """Everything that was ever built, under one folder.

    Args:
        root: the folder; the sandbox' user must be able to walk to it.
        alarm: told of what is not as it was built.
    """

    def __init__(self, root: Path, alarm: Alarm = to_log) -> None:
        self.root = root
        self.alarm = alarm
        self.layers = LayerStore(root / "layers")
        self.cache = root / "wheels"
        self._whole: set[str] = set()
        self._hashing = threading.Lock()

    def base(self) -> str:
        """The base layer's digest; built the first time and after our runtime changed."""
        chosen = self._base_choice
        image = chosen.read_text() if chosen.exists() else None
        of = runtime_files() if image is None else {**runtime_files(), "": image.encode()}
        key = hashlib.sha256(msgspec.msgpack.encode(of)).hexdigest()
        return self._remembered(f"base-{key}", lambda: build_base(self.layers, image))

    def choose_base(self, image: str | None) -> None:
        """From now on build on an image, by digest, or again on Debian's packages (None).

        Versions that are there keep the base that they were built on.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        if image is None:
            self._base_choice.unlink(missing_ok=True)
        else:
            self._base_choice.write_text(image)

    @property
    def _base_choice(self) -> Path:
        return self.root / "base-image"

    def dependencies(self, locked: Lock) -> str:
        """The layer of a lock; installed the first time it is seen."""
        key = locked.digest.removeprefix("sha256:")
        return self._remembered(f"lock-{key}", lambda: self._install(locked))

    def installed(self, lock_digest: str) -> Path | None:
        """The folder of a lock's packages, as `Image.dependencies`; None where it is not here."""
        known = self.root / "known" / f"lock-{lock_digest.removeprefix('sha256:')}"
        if not known.exists():
            return None
        return self.layers.folder(known.read_text()) / DEPENDENCIES

    def add(
        self, *, base: str, dependencies: str, files: Mapping[str, tuple[bytes, bool]]
    ) -> BuiltImage:
        """Make an image of a source tree on a base and a lock."""
        source = self.layers.add_files({f"{SOURCE}/{path}": file for path, file in files.items()})
        config = _config([base, dependencies, source])
        digest = "sha256:" + hashlib.sha256(config).hexdigest()
        path = self._config_path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        # In one step: another push of this source, or a run of it, may be reading.
        new = path.with_suffix(f".{os.getpid()}")
        new.write_bytes(config)
        new.replace(path)
        return BuiltImage(digest=digest, base=base, dependencies=dependencies, source=source)

    def open(self, digest: str) -> Image:
        """The folders of an image, as the embedded engine mounts them.

        Each layer is hashed the first time that this process opens it.

        Raises:
            BuildError: the store does not hold it.
            AlteredError: it is not what was built; the alarm was told.
        """
        base, dependencies, source = layers = self.layer_digests(digest)
        for layer in layers:
            self._check(layer)
        return Image(
            digest=digest,
            base=self.layers.folder(base),
            dependencies=self.layers.folder(dependencies) / DEPENDENCIES,
            source=self.layers.folder(source) / SOURCE,
        )

    def layer_digests(self, digest: str) -> tuple[str, str, str]:
        """Base, dependencies and source of an image.

        Raises:
            BuildError: the store does not hold it.
            AlteredError: its configuration is not what was built; the alarm was told.
        """
        path = self._config_path(digest)
        if not path.exists():
            raise BuildError(f"image {digest} is not in {self.root}: restore the store's backup")
        if fault := self.config_fault(digest):
            raise self._altered(digest, fault)
        base, dependencies, source = msgspec.json.decode(self.config(digest))["rootfs"]["diff_ids"]
        return base, dependencies, source

    def config(self, digest: str) -> bytes:
        return self._config_path(digest).read_bytes()

    def config_fault(self, digest: str) -> str | None:
        """What is wrong with an image's configuration; None where nothing is."""
        try:
            found = "sha256:" + hashlib.sha256(self.config(digest)).hexdigest()
        except FileNotFoundError:
            return "its configuration is gone"
        return None if found == digest else f"its configuration in {self.root} is {found}"

    def _check(self, layer: str) -> None:
        with self._hashing:
            if layer in self._whole:
                return
            found = self.layers.unpacked_digest(layer)
            # One that is gone is the engine's to report: there is nothing to run.
            if found is not None and found != layer:
                raise self._altered(layer, f"its folder in {self.layers.root} holds {found}")
            if found is not None:
                self._whole.add(layer)

    def _altered(self, subject: str, detail: str) -> AlteredError:
        finding = Finding(subject, "altered", detail)
        self.alarm(finding)
        return AlteredError(finding)

    def _config_path(self, digest: str) -> Path:
        return self.root / "images" / f"{digest.removeprefix('sha256:')}.json"

    def _install(self, locked: Lock) -> str:
        with self.layers.workspace() as root:
            target = root / DEPENDENCIES
            target.mkdir(parents=True)
            install(locked, target, cache=self.cache)
            _drop_what_differs_between_machines(target)
            compile_python(target, inside=f"/{DEPENDENCIES}")
            return self.layers.add_folder(root)

    def _remembered(self, key: str, build: Any) -> str:
        """A layer's digest by the key of its inputs; one builder at a time per key."""
        known = self.root / "known" / key
        known.parent.mkdir(parents=True, exist_ok=True)
        with _held(known.with_suffix(".lock")):
            if known.exists() and self.layers.has(known.read_text()):
                return known.read_text()
            digest: str = build()
            known.write_text(digest)
            return digest


def _drop_what_differs_between_machines(target: Path) -> None:
    # Scripts carry the path of the installing interpreter, and RECORD their hashes.
    for path in (target / "bin").glob("*") if (target / "bin").is_dir() else ():
        path.unlink()
    for pattern in ("*.dist-info/RECORD", "*.dist-info/uv_cache.json", "*.dist-info/REQUESTED"):
        for path in target.glob(pattern):
            path.unlink()
    (target / ".lock").unlink(missing_ok=True)


def _config(layers: list[str]) -> bytes:
    return msgspec.json.encode(
        {
            "architecture": "amd64",
            "config": {"User": "65534:65534", "WorkingDir": f"/{SOURCE}"},
            "created": "1970-01-01T00:00:00Z",
            "history": [{"created": "1970-01-01T00:00:00Z"} for _ in layers],
            "os": "linux",
            "rootfs": {"diff_ids": layers, "type": "layers"},
        },
        order="sorted",
    )


@contextmanager
def _held(path: Path) -> "Iterator[None]":
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
