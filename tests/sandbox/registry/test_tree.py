"""The tree of a commit: what may not be in it, and that its digest speaks of all of it."""

import hashlib
import subprocess
import time

import pytest

from sandbox.registry.errors import TreeError
from sandbox.registry.tree import MAX_FILE_BYTES, read_tree


def refused(plumbing, commit: str) -> str:
    with pytest.raises(TreeError) as error:
        read_tree(plumbing.path, commit)
    return str(error.value)


def test_a_symbolic_link_is_refused(plumbing):
    commit = plumbing.signal({"data": f"120000 blob {plumbing.blob('/etc/passwd')}"})
    assert refused(plumbing, commit).startswith("data: symbolic links are not taken")


def test_a_submodule_is_refused(plumbing):
    commit = plumbing.signal({"vendored": f"160000 commit {'1' * 40}"})
    assert refused(plumbing, commit).startswith("vendored: submodules are not taken")


@pytest.mark.parametrize("name", [".git", ".GIT", "GIT~1", "git~1", ".git.", ".git ", "..", "a\\b"])
def test_an_entry_that_names_git_itself_or_a_way_out_is_refused(plumbing, name):
    inner = plumbing.tree({"config": plumbing.blob("[core]\n\tfsmonitor = touch /tmp/owned\n")})
    commit = plumbing.signal({name: f"040000 tree {inner}"})
    assert "may not be part of a path" in refused(plumbing, commit)


def test_two_names_that_differ_in_case_only_are_refused(plumbing):
    blob = plumbing.blob("x")
    commit = plumbing.signal({"Model.py": blob, "model.py": blob})
    assert "differs from Model.py only in case" in refused(plumbing, commit)


def test_a_lfs_pointer_is_refused(plumbing):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    commit = plumbing.signal({"weights.bin": plumbing.blob(pointer)})
    assert refused(plumbing, commit).startswith("weights.bin: a Git LFS pointer")


def test_a_file_over_5_mb_is_refused_and_one_of_5_mb_is_taken(plumbing):
    over = plumbing.signal({"weights.bin": plumbing.blob(bytes(MAX_FILE_BYTES + 1))})
    assert refused(plumbing, over) == "weights.bin: over 5 MB"
    read_tree(plumbing.path, plumbing.signal({"weights.bin": plumbing.blob(bytes(MAX_FILE_BYTES))}))


def test_many_files_over_20_mb_together_are_refused(plumbing):
    blob = plumbing.blob(bytes(MAX_FILE_BYTES))
    commit = plumbing.signal({f"weights-{number}.bin": blob for number in range(5)})
    assert refused(plumbing, commit) == "the tree is over 20 MB"


def test_more_than_500_files_are_refused(plumbing):
    blob = plumbing.blob("x")
    commit = plumbing.signal({f"file-{number}": blob for number in range(499)})
    assert "more than 500 files" in refused(plumbing, commit)
    read_tree(plumbing.path, plumbing.signal({f"file-{number}": blob for number in range(498)}))


@pytest.mark.parametrize("with_files", [True, False])
def test_a_tree_bomb_is_refused_at_once(plumbing, with_files):
    level = plumbing.tree({"x": plumbing.blob("x")} if with_files else {})
    for _ in range(10):
        level = plumbing.tree({str(branch): f"040000 tree {level}" for branch in range(10)})
    commit = plumbing.signal({"bomb": f"040000 tree {level}"})
    began = time.monotonic()
    assert "more than 500 files and folders" in refused(plumbing, commit)
    assert time.monotonic() - began < 5


def test_a_path_without_end_is_refused(plumbing):
    commit = plumbing.signal({"x" * 100_000: plumbing.blob("x")})
    assert "over 16384 bytes long" in refused(plumbing, commit)


def test_a_name_that_is_not_utf8_is_refused(plumbing):
    commit = plumbing.signal({"\udcff.py": plumbing.blob("x")})
    assert "file names must be UTF-8" in refused(plumbing, commit)


@pytest.mark.parametrize("name", ["app.py", "signal.toml"])
def test_a_tree_without_a_needed_file_is_refused_and_told_what_to_add(plumbing, name):
    plain = {"app.py": plumbing.blob("x"), "signal.toml": plumbing.blob("x")}
    del plain[name]
    assert refused(plumbing, plumbing.commit(plumbing.tree(plain))).startswith(f"{name} is missing")


def test_a_commit_that_is_not_there_is_refused(plumbing, capfd):
    assert "no readable tree" in refused(plumbing, "1" * 40)
    capfd.readouterr()


def test_a_manifest_that_is_not_text_is_refused(plumbing):
    commit = plumbing.signal({"signal.toml": plumbing.blob(b"\xff\xfe")})
    with pytest.raises(TreeError, match=r"signal.toml: not UTF-8 text"):
        read_tree(plumbing.path, commit).text("signal.toml")


def test_attributes_that_rewrite_files_on_export_are_not_honoured(plumbing):
    attributes = "app.py export-subst ident\nhidden.py export-ignore\n* text eol=crlf\n"
    files = {
        ".gitattributes": plumbing.blob(attributes),
        "app.py": plumbing.blob("# $Format:%H$ $Id$\n"),
        "hidden.py": plumbing.blob("x = 1\n"),
    }
    commit = plumbing.signal(files)
    tree = read_tree(plumbing.path, commit)
    assert tree.text("app.py") == "# $Format:%H$ $Id$\n"
    assert tree.text("hidden.py") == "x = 1\n"
    archive = subprocess.run(
        ["git", "archive", commit], cwd=plumbing.path, check=True, capture_output=True
    ).stdout
    assert b"$Format:%H$" not in archive, "git archive is the trap that is not used here"


def test_the_digest_is_the_same_for_the_same_tree_in_another_commit(plumbing):
    tree = plumbing.tree({"app.py": plumbing.blob("a"), "signal.toml": plumbing.blob("b")})
    first, second = (read_tree(plumbing.path, plumbing.commit(tree)) for _ in range(2))
    assert first.digest == second.digest
    lines = "".join(
        f"100644 {hashlib.sha256(content).hexdigest()} {path}\n"
        for path, content in (("app.py", b"a"), ("signal.toml", b"b"))
    )
    assert first.digest == "sha256:" + hashlib.sha256(lines.encode()).hexdigest()


def test_content_name_and_executable_bit_each_change_the_digest(plumbing):
    blob = plumbing.blob("x")
    trees = [
        {"run": blob},
        {"run": plumbing.blob("y")},
        {"ran": blob},
        {"run": f"100755 blob {blob}"},
    ]
    digests = {read_tree(plumbing.path, plumbing.signal(more)).digest for more in trees}
    assert len(digests) == len(trees)
