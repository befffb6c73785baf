"""What a push may change: main moves forward, version tags are made once, within limits."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.git.limits import (
    MAX_COMMITS,
    MAX_COMMITS_PER_PUSH,
    MAX_REFS,
    MAX_REPOSITORY_BYTES,
    MB,
)
from sandbox.registry.errors import RefusedError
from sandbox.registry.reservation import SEMVER

ZERO = "0" * 40


@dataclass(frozen=True)
class Update:
    """One line of the push: a ref, from one commit to another."""

    old: str
    new: str
    ref: str

    @property
    def is_tag(self) -> bool:
        return self.ref.startswith("refs/tags/")


def judge(repository: Path, updates: list[Update]) -> Update | None:
    """The tag to publish, if the push holds one and breaks no rule; `new` is its commit.

    Raises:
        RefusedError: naming the ref and the rule.
    """
    tags = _judge_refs(updates)
    # Before anything walks what was pushed.
    _judge_size(repository)
    _judge_commits(repository, updates)
    main_after = _rev(repository, "refs/heads/main")
    for update in updates:
        if update.ref == "refs/heads/main":
            _judge_main(repository, update)
            main_after = update.new
    for tag in tags:
        _judge_tag(repository, tag, main_after)
    return peeled(repository, tags[0]) if tags else None


def peeled(repository: Path, tag: Update) -> Update:
    """The same tag, with the commit that it points at.

    Raises:
        RefusedError: it points at something else.
    """
    return Update(tag.old, _commit(repository, tag.new), tag.ref)


def _judge_refs(updates: list[Update]) -> list[Update]:
    if len(updates) > MAX_REFS:
        raise RefusedError("push main and one tag at a time")
    tags = [update for update in updates if update.is_tag]
    if len(tags) > 1:
        raise RefusedError("push one tag at a time")
    for update in updates:
        if update.ref != "refs/heads/main" and not update.is_tag:
            raise RefusedError(f"{update.ref}: only main and version tags are taken")
    return tags


def _judge_size(repository: Path) -> None:
    size = sum(path.stat().st_size for path in (repository / "objects").rglob("*"))
    if size > MAX_REPOSITORY_BYTES:
        raise RefusedError(
            f"the repository would be over {MAX_REPOSITORY_BYTES // MB} MB:"
            " publish from a new signal, and keep data out of git"
        )


def _judge_commits(repository: Path, updates: list[Update]) -> None:
    pushed = [update.new for update in updates if update.new != ZERO]
    if not pushed:
        return
    for limit, known, where in (
        (MAX_COMMITS_PER_PUSH, ("--not", "--all"), "in one push"),
        (MAX_COMMITS, (), "in a repository"),
    ):
        counted = _git(
            repository, "rev-list", "--count", f"--max-count={limit + 1}", *pushed, *known
        )
        # A blob is no commit; the tag's own rule says so.
        if int(counted.stdout or "0") > limit:
            raise RefusedError(f"more than {limit} commits {where}: push a shorter history")


def _judge_main(repository: Path, update: Update) -> None:
    if update.new == ZERO:
        raise RefusedError("main cannot be deleted")
    if update.old != ZERO and not _is_ancestor(repository, update.old, update.new):
        raise RefusedError("main moves forward only; pull first, then push")


def _judge_tag(repository: Path, tag: Update, main: str | None) -> None:
    name = tag.ref.removeprefix("refs/tags/")
    if tag.old != ZERO:
        raise RefusedError(f"{name} is published: tags never move; tag a greater version")
    if not SEMVER.fullmatch(name):
        raise RefusedError(f"tag {name!r} is not vMAJOR.MINOR.PATCH, such as v1.0.0")
    if main is None or not _is_ancestor(repository, _commit(repository, tag.new), main):
        raise RefusedError(f"{name} is not on main: push main first, or both together")


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments], cwd=repository, capture_output=True, text=True, check=False
    )


def _rev(repository: Path, name: str) -> str | None:
    found = _git(repository, "rev-parse", "--quiet", "--verify", name)
    return found.stdout.strip() or None


def _commit(repository: Path, name: str) -> str:
    commit = _rev(repository, f"{name}^{{commit}}")
    if commit is None:
        raise RefusedError("the tag does not point at a commit")
    return commit


def _is_ancestor(repository: Path, old: str, new: str) -> bool:
    return _git(repository, "merge-base", "--is-ancestor", old, new).returncode == 0
