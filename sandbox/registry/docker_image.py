"""Hand an image of the store to Docker, under the digest it already has.

Images run by digest. The tag is there so that `docker image prune` spares them, and for people;
where it is found on another image somebody moved it, which changes nothing of what runs and is
told to the operator.
"""

import contextlib
import io
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.utils
import msgspec

from sandbox.registry.errors import BuildError
from sandbox.registry.image import ImageStore
from sandbox.registry.integrity import Finding

REPOSITORY = "signalbox-image"


def tag_of(digest: str) -> str:
    """The tag under which Docker keeps an image of ours."""
    return f"{REPOSITORY}:{digest.removeprefix('sha256:')}"


def ensure_loaded(store: ImageStore, digest: str) -> None:
    """Make `docker run <digest>` possible; nothing is sent when it already is.

    Raises:
        BuildError: Docker calls the loaded image by another digest.
    """
    client = docker.APIClient(**docker.utils.kwargs_from_env())
    try:
        if _knows(client, digest):
            _keep_tag(client, store, digest)
            return
        # Docker skips layers it has, so the source layer alone is often enough.
        layers = list(store.layer_digests(digest))
        for sent in (layers[-1:], layers):
            _load(client, store, digest, sent)
            if _knows(client, digest):
                _keep_tag(client, store, digest)
                return
        raise BuildError(f"Docker does not call the loaded image {digest}; is its image store OCI?")
    finally:
        client.close()


def unload(digest: str) -> None:
    """Have Docker forget an image; harmless when it does not know it."""
    client = docker.APIClient(**docker.utils.kwargs_from_env())
    try:
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.remove_image(digest, force=True)
    finally:
        client.close()


def _knows(client: Any, digest: str) -> bool:
    try:
        return bool(client.inspect_image(digest)["Id"] == digest)
    except docker.errors.ImageNotFound:
        return False


def _keep_tag(client: Any, store: ImageStore, digest: str) -> None:
    tag = tag_of(digest)
    if tag in (client.inspect_image(digest).get("RepoTags") or ()):
        return
    with contextlib.suppress(docker.errors.ImageNotFound):
        other = client.inspect_image(tag)["Id"]
        store.alarm(
            Finding(tag, "tag_moved", f"stood on {other}; {digest} runs by digest, and has it back")
        )
    client.tag(digest, REPOSITORY, digest.removeprefix("sha256:"), force=True)


def _load(client: Any, store: ImageStore, digest: str, sent: list[str]) -> None:
    with tempfile.TemporaryFile(dir=store.root) as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
            _add(archive, "config.json", store.config(digest))
            for layer in sent:
                archive.add(store.layers.tar(layer), arcname=_name(layer))
            layers = [_name(layer) for layer in store.layer_digests(digest)]
            manifest = [{"Config": "config.json", "RepoTags": None, "Layers": layers}]
            _add(archive, "manifest.json", msgspec.json.encode(manifest))
        file.seek(0)
        try:
            for _ in client.load_image(file):
                pass
        except docker.errors.APIError as error:
            if len(sent) > 1:
                raise BuildError(f"Docker refused the image: {error.explanation}") from error


def _name(layer: str) -> str:
    return f"{Path(layer.removeprefix('sha256:')).name}.tar"


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
