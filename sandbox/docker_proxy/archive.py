"""The archive of `POST /images/load`, read while it passes.

An archive may name tags for its image: one that took the platform's own would be launched
with the platform's secrets. So only what `sandbox.registry.docker_image` writes passes:
plain files, layers by digest, and one manifest that names no tag. Nothing that comes after a
fault reaches the daemon, and without the archive's end it loads nothing.
"""

import re

from sandbox.docker_proxy.documents import read_document, read_json
from sandbox.docker_proxy.errors import RefusedError

BLOCK = 512
DOCUMENT_BYTES = 1 << 20
LAYER = re.compile(r"[0-9a-f]{64}\.tar")
CONFIGURATION = re.compile(r"config\.json|[0-9a-f]{64}\.json")
MANIFEST = "manifest.json"
OCTAL = re.compile(rb"[0-7]{1,11}[ \0]?")
PLAIN = (b"0", b"\0")
TOLD = ("architecture", "config", "created", "history", "os", "rootfs")
# Nothing that runs by itself, and no volume: that would outlive its container.
CONFIGURED = ("User", "WorkingDir")


class Archive:
    """Takes an archive in pieces; gives back what may pass on."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._left = 0  # bytes of the present file, with what fills its last block
        self._document: tuple[str, int] | None = None
        self._has_manifest = False
        self._ended = False

    def feed(self, piece: bytes) -> bytes:
        """What may be passed on of what came so far.

        Raises:
            RefusedError: the archive holds what ours do not.
        """
        self._held += piece
        passed = bytearray()
        while taken := self._take():
            passed += self._held[:taken]
            del self._held[:taken]
        return bytes(passed)

    def end(self) -> None:
        """Raise RefusedError where the archive has not ended."""
        if not self._ended or self._held.strip(b"\0"):
            raise RefusedError("archive", "ends too early")

    def _take(self) -> int:
        """How many of the held bytes may go; 0: more are needed."""
        if self._ended:
            if self._held.strip(b"\0"):
                raise RefusedError("archive", "goes on after its end")
            return len(self._held)
        if self._document is not None:
            return self._take_document()
        if self._left:
            taken = min(self._left, len(self._held))
            self._left -= taken
            return taken
        return self._take_header()

    def _take_document(self) -> int:
        assert self._document is not None  # noqa: S101 - asked by the caller
        name, size = self._document
        if len(self._held) < self._left:
            return 0
        content = bytes(self._held[:size])
        if name == MANIFEST:
            _judge_manifest(content)
            self._has_manifest = True
        else:
            _judge_configuration(content)
        taken, self._left, self._document = self._left, 0, None
        return taken

    def _take_header(self) -> int:
        if len(self._held) < BLOCK:
            return 0
        header = bytes(self._held[:BLOCK])
        if not header.strip(b"\0"):
            if not self._has_manifest:
                raise RefusedError("archive", f"has no {MANIFEST}")
            self._ended = True
            return BLOCK
        name, size = _judged(header)
        self._left = -(-size // BLOCK) * BLOCK
        if not LAYER.fullmatch(name):
            if name == MANIFEST and self._has_manifest:
                raise RefusedError("archive", f"has two {MANIFEST}")
            if not 0 < size <= DOCUMENT_BYTES:
                raise RefusedError("archive", f"{name} has {size} bytes")
            self._document = (name, size)
        return BLOCK


def _judged(header: bytes) -> tuple[str, int]:
    """Name and size of a plain file.

    Raises:
        RefusedError: it is anything else, or could be read as something else.
    """
    checksum = header[148:156].strip(b" \0")
    summed = sum(header[:148]) + 8 * ord(" ") + sum(header[156:])
    if not OCTAL.fullmatch(checksum) or int(checksum, 8) != summed:
        raise RefusedError("archive", "is no tar, or is compressed")
    name = header[:100].rstrip(b"\0").decode("latin-1")
    if not (LAYER.fullmatch(name) or CONFIGURATION.fullmatch(name) or name == MANIFEST):
        raise RefusedError("archive", "holds a file other than layers, configuration and manifest")
    if header[156:157] not in PLAIN or header[157:257].strip(b"\0"):
        raise RefusedError("archive", f"{name} is no plain file")
    if header[345:512].strip(b"\0"):
        raise RefusedError("archive", f"{name} has a prefix")
    size = header[124:136].rstrip(b" \0")
    if not OCTAL.fullmatch(size):
        raise RefusedError("archive", f"the size of {name} is not plain")
    return name, int(size, 8)


def _judge_manifest(content: bytes) -> None:
    listed = read_json(content)
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        raise RefusedError("archive", f"{MANIFEST} does not name one image")
    (one,) = listed
    if set(one) != {"Config", "RepoTags", "Layers"}:
        raise RefusedError("archive", f"{MANIFEST} must name Config, RepoTags and Layers")
    if one["RepoTags"] is not None:
        raise RefusedError("archive, RepoTags", "must be null: images are tagged by digest")
    if not isinstance(one["Config"], str) or not CONFIGURATION.fullmatch(one["Config"]):
        raise RefusedError("archive, Config", "must be a plain name")
    layers = one["Layers"]
    if not isinstance(layers, list) or not all(
        isinstance(layer, str) and LAYER.fullmatch(layer) for layer in layers
    ):
        raise RefusedError("archive, Layers", "must be named by digest")


def _judge_configuration(content: bytes) -> None:
    found = read_document(content)
    for name in found:
        if name not in TOLD:
            raise RefusedError(f"archive, {name[:64]!r}", "is nothing that an image of ours says")
    configuration = found.get("config")
    if not isinstance(configuration, dict):
        raise RefusedError("archive, config", "must be an object")
    for name in configuration:
        if name not in CONFIGURED:
            raise RefusedError(f"archive, config.{name[:64]}", "must not be there")
