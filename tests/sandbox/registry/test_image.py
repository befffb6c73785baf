"""Images: one digest for one source, in any store and under Docker."""

import os

import docker
import docker.errors
import pytest

from sandbox.registry.docker_image import ensure_loaded
from sandbox.registry.errors import BuildError
from sandbox.registry.image import BuiltImage, ImageStore

FILES = {"app.py": (b"def forecast(window): ...\n", False), "run.sh": (b"#!/bin/sh\n", True)}


def image(registry, files=FILES) -> BuiltImage:
    return registry.store.add(base=registry.base, dependencies=registry.dependencies, files=files)


def test_the_same_source_gives_the_same_image_in_a_store_built_elsewhere(registry, other_registry):
    assert other_registry.base == registry.base
    assert other_registry.dependencies == registry.dependencies
    assert image(other_registry) == image(registry)


def test_the_same_source_of_another_version_gives_the_same_layers(registry):
    changed = FILES | {"app.py": (b"def forecast(window): return []\n", False)}
    first, again, other = image(registry), image(registry), image(registry, changed)
    assert first == again
    assert other.source != first.source
    assert (other.base, other.dependencies) == (first.base, first.dependencies)


def test_an_altered_configuration_is_refused(tmp_path):
    store = ImageStore(tmp_path)
    made = store.add(base="sha256:1", dependencies="sha256:2", files=FILES)
    path = tmp_path / "images" / f"{made.digest.removeprefix('sha256:')}.json"
    path.write_bytes(path.read_bytes().replace(b"sha256:2", b"sha256:3"))
    with pytest.raises(BuildError, match=r"was altered .*restore the backup"):
        store.open(made.digest)


def test_an_image_that_is_not_there_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(BuildError, match=r"is not in .*: restore the store's backup"):
        ImageStore(tmp_path).open("sha256:" + "0" * 64)


def test_the_image_holds_the_source_with_its_executable_bit(registry):
    opened = registry.store.open(image(registry).digest)
    assert (opened.source / "app.py").read_bytes() == FILES["app.py"][0]
    assert os.access(opened.source / "run.sh", os.X_OK)
    assert (opened.dependencies / "polars").is_dir()
    assert (opened.base / "usr/bin/python3.11").exists()


def test_no_script_and_no_path_of_this_machine_is_left_among_the_dependencies(registry):
    opened = registry.store.open(image(registry).digest)
    assert not list(opened.dependencies.glob("bin/*"))
    assert not list(opened.dependencies.glob("*.dist-info/RECORD"))


@pytest.fixture
def daemon():
    try:
        client = docker.APIClient(version="auto", timeout=60)
    except docker.errors.DockerException as error:
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but no Docker: {error}")
        pytest.skip(f"no Docker: {error}")
    yield client
    client.close()


def test_docker_calls_the_image_by_the_digest_of_the_store(registry, daemon):
    first = image(registry, {"app.py": (b"first = 1\n", False)})
    second = image(registry, {"app.py": (b"second = 2\n", False)})
    try:
        for made in (first, second, second):
            ensure_loaded(registry.store, made.digest)
            assert daemon.inspect_image(made.digest)["Id"] == made.digest
    finally:
        for made in (first, second):
            daemon.remove_image(made.digest, force=True)


def test_an_altered_layer_is_refused_by_docker(registry, daemon):
    made = image(registry, {"app.py": (b"honest = 1\n", False)})
    tar = registry.store.layers.tar(made.source)
    tar.write_bytes(tar.read_bytes().replace(b"honest = 1", b"wicked = 1"))
    with pytest.raises(BuildError, match=r"Docker refused the image|Docker does not call"):
        ensure_loaded(registry.store, made.digest)
    with pytest.raises(docker.errors.ImageNotFound):
        daemon.inspect_image(made.digest)


def test_a_locks_folder_is_the_one_that_its_images_run_with(registry):
    opened = registry.store.open(image(registry).digest)
    assert registry.store.installed(registry.locked.digest) == opened.dependencies
    assert registry.store.installed(f"sha256:{'0' * 64}") is None
