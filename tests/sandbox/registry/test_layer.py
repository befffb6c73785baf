"""Layers: equal content gives equal bytes, whatever the machine was doing."""

import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.registry.layer import LayerStore

FILES = {"app.py": b"print(1)\n", "lib/deep/model.py": b"x = 1\n", "run": b"#!/bin/sh\n"}


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.fixture
def store(tmp_path) -> LayerStore:
    return LayerStore(tmp_path / "layers")


def folder(root: Path, *, names: list[str], mtime: int, symlink_first: bool) -> Path:
    root.mkdir()
    if symlink_first:
        (root / "bin").symlink_to("usr/bin")
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FILES[name])
        if name == "run":
            path.chmod(0o700)
        os.utime(path, (mtime, mtime))
    if not symlink_first:
        (root / "bin").symlink_to("usr/bin")
    return root


def test_other_times_another_umask_and_another_order_give_the_same_digest(store, tmp_path, umask):
    names = sorted(FILES)
    umask(0o022)
    first = folder(tmp_path / "a", names=names, mtime=1, symlink_first=True)
    umask(0o077)
    second = folder(tmp_path / "b", names=names[::-1], mtime=2**31, symlink_first=False)
    assert store.add_folder(first) == store.add_folder(second)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_files_keep_their_executable_bit_and_nothing_else_of_their_mode(store, umask, mask):
    umask(mask)
    digest = store.add_files({"run": (b"#!/bin/sh\n", True), "data": (b"x", False)})
    with tarfile.open(store.tar(digest)) as archive:
        modes = {member.name: member.mode for member in archive}
        assert {(member.uid, member.gid, member.mtime) for member in archive} == {(0, 0, 0)}
    # Its own mode too: who runs it and who backs it up are others than who built it.
    assert store.tar(digest).stat().st_mode & 0o777 == 0o644
    assert modes == {"run": 0o755, "data": 0o644}
    unpacked = {path.name: path.stat().st_mode & 0o777 for path in store.folder(digest).iterdir()}
    assert unpacked == modes
    assert store.folder(digest).stat().st_mode & 0o777 == 0o755


def test_a_layer_is_kept_whole_after_a_death_between_its_two_halves(store):
    files = {"app.py": (b"x", False)}
    digest = store.add_files(files)
    store.tar(digest).unlink()
    assert not store.has(digest)
    assert store.add_files(files) == digest
    assert store.has(digest)


def test_a_layer_added_twice_leaves_no_scratch_behind(store):
    digest = store.add_files({"app.py": (b"x", False)})
    assert store.add_files({"app.py": (b"x", False)}) == digest
    assert {path.name for path in store.root.iterdir()} == {
        store.tar(digest).name,
        store.folder(digest).name,
    }


def test_content_name_and_executable_bit_each_change_the_digest(store):
    contents = [
        {"a": (b"x", False)},
        {"a": (b"y", False)},
        {"b": (b"x", False)},
        {"a": (b"x", True)},
    ]
    assert len({store.add_files(content) for content in contents}) == len(contents)


TREES = st.dictionaries(
    st.from_regex(r"[a-z]{1,3}\.py", fullmatch=True),
    st.tuples(st.binary(max_size=50), st.booleans()),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES, st.randoms())
def test_any_tree_in_any_order_gives_the_same_digest(store, tree, random):
    shuffled = list(tree.items())
    random.shuffle(shuffled)
    assert store.add_files(tree) == store.add_files(dict(shuffled))
