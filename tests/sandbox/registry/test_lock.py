"""Locking and installing: wheels by hash only, nothing built, nothing named by a path."""

import io
import json
import re
import tarfile
from datetime import UTC, datetime

import pytest

from sandbox.registry.errors import LockError
from sandbox.registry.lock import Lock, install, lock
from sandbox.registry.requirements import parse_requirements
from sandbox.registry.sbom import bill_of_materials

SETUP = "import pathlib; pathlib.Path({canary!r}).write_text('run'); import setuptools"


def test_a_dependency_without_a_wheel_is_refused_and_never_built(registry):
    with pytest.raises(LockError, match=r"cannot be locked from wheels.*docopt"):
        lock(parse_requirements("docopt==0.6.2"), now=datetime.now(UTC), cache=registry.store.cache)


def test_a_wheel_of_another_hash_is_refused_and_nothing_is_installed(registry, tmp_path):
    six = lock(parse_requirements("six==1.17.0"), now=datetime.now(UTC), cache=registry.store.cache)
    altered = re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", six.text)
    assert altered != six.text
    with pytest.raises(LockError, match=r"the lock cannot be installed.*[Hh]ash mismatch"):
        install(Lock(altered), tmp_path / "target", cache=registry.store.cache)
    assert not (tmp_path / "target" / "six.py").exists()


def test_a_lock_line_without_a_hash_is_refused(registry, tmp_path):
    with pytest.raises(LockError):
        install(Lock("six==1.17.0\n"), tmp_path / "target", cache=registry.store.cache)


@pytest.mark.parametrize(
    "name", ["canary.tar.gz", "canary-1.0.whl", "numpy===./canary", "canary.zip"]
)
def test_a_requirement_that_is_named_like_a_file_is_no_file(registry, tmp_path, monkeypatch, name):
    ran = tmp_path / "ran"
    source = SETUP.format(canary=str(ran)).encode()
    for file in ("canary.tar.gz", "canary-1.0.whl", "canary.zip"):
        with tarfile.open(tmp_path / file, "w:gz") as archive:
            entry = tarfile.TarInfo("canary-1.0/setup.py")
            entry.size = len(source)
            archive.addfile(entry, io.BytesIO(source))
    (tmp_path / "canary").mkdir()
    (tmp_path / "canary" / "setup.py").write_bytes(source)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LockError):
        lock(parse_requirements(name), now=datetime.now(UTC), cache=registry.store.cache)
    assert not ran.exists()


def test_a_configuration_of_the_folder_or_the_environment_moves_no_index(
    registry, tmp_path, monkeypatch
):
    (tmp_path / "uv.toml").write_text('index-url = "http://127.0.0.1:9/simple"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_EXTRA_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    locked = lock(
        parse_requirements("six==1.17.0"), now=datetime.now(UTC), cache=registry.store.cache
    )
    assert "six==1.17.0" in locked.text
    assert "127.0.0.1" not in locked.text


def test_a_wheel_that_did_not_exist_yet_is_not_locked(registry):
    with pytest.raises(LockError, match="exclude-newer"):
        lock([], now=datetime(2020, 1, 1, tzinfo=UTC), cache=registry.store.cache)


def test_the_bill_of_materials_lists_every_locked_package_with_its_hashes(registry):
    bill = bill_of_materials(registry.locked)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    components = {component["name"]: component for component in bill["components"]}
    assert {"polars", "numpy", "msgspec"} <= components.keys()
    listed = re.findall(r"sha256:([0-9a-f]{64})", registry.locked.text)
    hashes = [one["content"] for component in components.values() for one in component["hashes"]]
    assert hashes == listed
    for name, component in components.items():
        assert component["purl"] == f"pkg:pypi/{name}@{component['version']}"
        assert f"{name}=={component['version']}" in registry.locked.text
    installed = registry.store.layers.folder(registry.dependencies) / "opt" / "dependencies"
    version = components["polars"]["version"]
    assert (installed / f"polars-{version}.dist-info" / "METADATA").exists()
    json.dumps(bill)
