"""Images through the proxy: those of the store pass, and none that takes another's place."""

import contextlib
import gzip
import hashlib
import io
import json
import tarfile

import docker
import pytest

from sandbox.docker_proxy.archive import Archive
from sandbox.docker_proxy.errors import RefusedError
from sandbox.registry.docker_image import REPOSITORY, ensure_loaded, unload


class Store:
    """An image of two layers, as the image store has them."""

    def __init__(self, root, layer_bytes=1 << 20):
        self.root = root
        self.layers = self
        self._files = {}
        for text in ("base", "source"):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w") as tar:
                info = tarfile.TarInfo(f"{root.name}-{text}")
                info.size = layer_bytes
                tar.addfile(info, io.BytesIO(bytes(layer_bytes)))
            name = f"sha256:{hashlib.sha256(buffer.getvalue()).hexdigest()}"
            self._files[name] = root / f"{text}.tar"
            self._files[name].write_bytes(buffer.getvalue())
        self._config = json.dumps({
            "architecture": "amd64", "os": "linux",
            "config": {"User": "65534:65534", "WorkingDir": "/srv/signal"},
            "rootfs": {"type": "layers", "diff_ids": list(self._files)},
        }).encode()  # fmt: skip
        self.digest = f"sha256:{hashlib.sha256(self._config).hexdigest()}"

    def layer_digests(self, _):
        return tuple(self._files)

    def tar(self, layer):
        return self._files[layer]

    def config(self, _):
        return self._config


def test_an_image_of_the_store_is_loaded_tagged_and_forgotten(proxy, direct, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{proxy.sandboxes}")
    store = Store(tmp_path, layer_bytes=64 << 20)
    try:
        ensure_loaded(store, store.digest)
        tag = f"{REPOSITORY}:{store.digest.removeprefix('sha256:')}"
        assert direct.inspect_image(store.digest)["RepoTags"] == [tag]
        ensure_loaded(store, store.digest)
        unload(store.digest)
        with pytest.raises(docker.errors.ImageNotFound):
            direct.inspect_image(store.digest)
        unload(store.digest)
    finally:
        with contextlib.suppress(docker.errors.ImageNotFound):
            direct.remove_image(store.digest, force=True)


LAYER = "a" * 64 + ".tar"
CONFIGURATION = {"architecture": "amd64", "os": "linux", "config": {},
                 "rootfs": {"type": "layers", "diff_ids": []}}  # fmt: skip
MANIFEST = [{"Config": "config.json", "RepoTags": None, "Layers": [LAYER]}]


def archive(*entries, form=tarfile.GNU_FORMAT):
    """A tar of (name, content) or TarInfo."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                tar.addfile(entry)
            else:
                name, content = entry
                content = content if isinstance(content, bytes) else json.dumps(content).encode()
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def entry(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


CONFIG = ("config.json", CONFIGURATION)
GOOD = (CONFIG, (LAYER, b"layer"), ("manifest.json", MANIFEST))


def manifest(**changes):
    return ("manifest.json", [MANIFEST[0] | changes])


def config(**changes):
    return ("config.json", CONFIGURATION | changes)


EVIL = {
    "a tag": archive(CONFIG, manifest(RepoTags=["signalbox/platform:0.1.0-evil"])),
    "an empty list of tags": archive(CONFIG, manifest(RepoTags=[])),
    "a tag in other letters": archive(
        CONFIG,
        ("manifest.json",
         b'[{"Config":"config.json","RepoTags":null,"repotags":["x:y"],"Layers":[]}]'),
    ),
    "a tag, twice said": archive(
        CONFIG,
        ("manifest.json",
         b'[{"Config":"config.json","RepoTags":["x:y"],"Layers":[],"RepoTags":null}]'),
    ),
    "two images": archive(CONFIG, ("manifest.json", MANIFEST * 2)),
    "two manifests": archive(*GOOD, manifest()),
    "no manifest": archive(CONFIG, (LAYER, b"x")),
    "the old list of tags": archive(*GOOD, ("repositories", {"x": {"y": "z"}})),
    "a layer by a path": archive(CONFIG, manifest(Layers=["../../etc/shadow"])),
    "a configuration by a path": archive(CONFIG, manifest(Config="/etc/shadow")),
    "a volume": archive(config(config={"Volumes": {"/data": {}}}), manifest()),
    "a health check": archive(config(config={"Healthcheck": {}}), manifest()),
    "a configuration in other letters": archive(config(Config={"Volumes": {}}), manifest()),
    "a link for a layer": archive(CONFIG, entry(LAYER, tarfile.SYMTYPE, "/etc/shadow"), manifest()),
    "a hard link": archive(CONFIG, entry(LAYER, tarfile.LNKTYPE, "config.json"), manifest()),
    "a device": archive(CONFIG, entry(LAYER, tarfile.BLKTYPE), manifest()),
    "a folder": archive(CONFIG, entry("x", tarfile.DIRTYPE), manifest()),
    "a way out": archive(CONFIG, ("../x.tar", b""), manifest()),
    "an extended header": archive(
        CONFIG, (LAYER, b"x"), ("n" * 200, b"x"), manifest(), form=tarfile.PAX_FORMAT
    ),
    "a long name": archive(CONFIG, ("n" * 200, b"x"), manifest()),
    "a compressed one": gzip.compress(archive(*GOOD)),
    "one that goes on": archive(*GOOD) + archive(CONFIG, manifest(RepoTags=["x:y"])),
    "half of one": archive(*GOOD)[:2048],
    "nothing": b"",
    "noise": b"\x01" * 4096,
}  # fmt: skip


def whole(data, size):
    judged, passed = Archive(), b""
    for start in range(0, len(data), size):
        passed += judged.feed(data[start : start + size])
    judged.end()
    return passed


@pytest.mark.parametrize("size", [1, 511, 65_536])
def test_an_archive_of_ours_passes_as_it_is_in_whatever_pieces(size):
    assert whole(archive(*GOOD), size) == archive(*GOOD)


@pytest.mark.parametrize("data", EVIL.values(), ids=EVIL.keys())
@pytest.mark.parametrize("size", [700, 65_536])
def test_another_archive_is_refused(data, size):
    with pytest.raises(RefusedError):
        whole(data, size)


@pytest.mark.parametrize("name", ["a tag", "half of one"])
def test_the_daemon_loads_nothing_of_a_refused_archive(proxy, asked, direct, name):
    data = EVIL[name]
    head = f"POST /images/load HTTP/1.1\r\nContent-Length: {len(data)}\r\n\r\n".encode()
    status, said = asked(proxy.sandboxes, head + data)
    assert status == 403
    assert "archive" in said
    with pytest.raises(docker.errors.ImageNotFound):
        direct.inspect_image("signalbox/platform:0.1.0-evil")
