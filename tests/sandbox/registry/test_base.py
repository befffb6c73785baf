"""The base layer from an image that Docker has: by digest, nothing run, the same bytes."""

import contextlib
import os

import docker
import docker.errors
import pytest

from sandbox.registry.base import build_base
from sandbox.registry.errors import BuildError
from sandbox.registry.image import ImageStore
from sandbox.registry.layer import LayerStore, tar_of


@pytest.fixture
def imported():
    """`imported(tar)`: the id of an image with these files, as `docker import` makes it."""
    try:
        client = docker.APIClient(version="auto", timeout=60)
    except docker.errors.DockerException as error:
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but no Docker: {error}")
        pytest.skip(f"no Docker: {error}")
    made = []

    def bring(tar: bytes) -> str:
        said = client.import_image_from_data(tar)
        made.append(said.split('"')[-2])
        return made[-1]

    yield bring
    for image in made:
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.remove_image(image, force=True)
    client.close()


def test_a_base_from_an_image_has_the_bytes_of_the_same_base_from_packages(
    registry, imported, tmp_path
):
    image = imported(registry.store.layers.tar(registry.base).read_bytes())
    store = ImageStore(tmp_path)
    store.choose_base(image)
    assert store.base() == registry.base
    store.choose_base(None)
    assert not (tmp_path / "base-image").exists()


@pytest.mark.parametrize("name", ["python:3.11", "python", "python@sha256:12", "x y@sha256:1"])
def test_an_image_that_is_named_by_a_tag_is_refused(tmp_path, name):
    with pytest.raises(BuildError, match="names no image by digest: tags move"):
        build_base(LayerStore(tmp_path), name)


def test_an_image_without_python_is_refused(imported, tmp_path):
    image = imported(tar_of({"usr/lib/nothing": b"x", "bin/sh": b"x"}))
    with pytest.raises(BuildError, match=r"holds no Python 3.11"):
        build_base(LayerStore(tmp_path), image)
    assert list(tmp_path.iterdir()) == []


def test_an_image_that_docker_does_not_know_is_refused_and_said(imported, tmp_path):
    imported(tar_of({"usr/lib/nothing": b"x"}))
    with pytest.raises(BuildError, match="Docker cannot give sha256:00000"):
        build_base(LayerStore(tmp_path), "sha256:" + "0" * 64)
