"""What git asks before it takes a push, and tells after it did.

`pre-receive` judges the refs and builds the one tag of the push; what it prints
the pusher reads as `remote:` lines. `post-receive` makes the version live.
Both run as children of `git receive-pack`, with the git process' role.
"""

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import psycopg
from psycopg.types.json import Jsonb

from sandbox.git.settings import GitSettings, signer_of
from sandbox.registry.errors import RefusedError
from sandbox.registry.image import ImageStore
from sandbox.registry.integrity import to_database
from sandbox.registry.publish import Terms, build, go_live
from sandbox.registry.reservation import SEMVER, Submission, held, reserve
from sandbox.runner.engine import available_engine
from sql.clock import clock_of
from sql.configuration import read_settings
from sql.roles import conninfo

ZERO = "0" * 40
MAX_REFS = 2


@dataclass(frozen=True)
class Update:
    """One line of the push: a ref, from one commit to another."""

    old: str
    new: str
    ref: str

    @property
    def is_tag(self) -> bool:
        return self.ref.startswith("refs/tags/")


def main() -> None:
    """Run the hook that git named."""
    updates = [Update(*line.split()) for line in sys.stdin.read().splitlines()]
    settings = read_settings(GitSettings)
    repository = Path(os.environ["SIGNALBOX_PUSH_REPOSITORY"])
    try:
        {"pre-receive": pre_receive, "post-receive": post_receive}[sys.argv[1]](
            settings, repository, updates
        )
    except RefusedError as error:
        _audit(settings, updates, str(error))
        _refuse(str(error))
    except Exception as error:  # noqa: BLE001 - a traceback would tell the pusher nothing
        _say(f"the platform failed, not your push: {error}")
        _refuse("push again; nothing was published")


def pre_receive(settings: GitSettings, repository: Path, updates: list[Update]) -> None:
    """Refuse what breaks a rule; reserve and build the tag."""
    tag = judge(repository, updates)
    if tag is None:
        return
    signal.signal(signal.SIGTERM, _end_with_the_pusher)
    now = clock_of(settings.environment, settings.demo_clock)
    submission = _submission(repository, tag)
    # Cold: publication is judged by the reference path.
    engine = available_engine(settings.sandbox_engine, runtime=settings.sandbox_runtime)
    with _connect(settings) as connection:
        reservation = reserve(connection, submission, now())
        store = ImageStore(Path(settings.image_store), to_database(lambda: _connect(settings), now))
        build(connection, store, engine, submission, reservation, now(), _say, _terms(settings))


def post_receive(settings: GitSettings, repository: Path, updates: list[Update]) -> None:
    """Make the built tag live; says where it can be seen."""
    tag = next((update for update in updates if update.is_tag), None)
    if tag is None:
        return
    # The tag stands: whoever goes away now changes nothing.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    now = clock_of(settings.environment, settings.demo_clock)
    commit = Update(tag.old, _commit(repository, tag.new), tag.ref)
    submission = _submission(repository, commit)
    try:
        with _connect(settings) as connection:
            reservation = held(connection, submission)
            published = go_live(connection, submission, reservation, now())
    except Exception:
        # Else git would answer "up to date" to a second push of this tag.
        _git(repository, "update-ref", "-d", tag.ref, tag.new)
        raise
    url = f"{settings.api_url}/v1/signals/{submission.provider}/{submission.name}"
    _say(f"live        {submission.label}")
    _say(f"image       {published.image_digest}")
    _say(f"leaf        {published.leaf_index}")
    _say(f"see         {url}/versions/{submission.version}")


def judge(repository: Path, updates: list[Update]) -> Update | None:
    """The tag to publish, if the push holds one and breaks no rule.

    Raises:
        RefusedError: naming the ref and the rule.
    """
    if len(updates) > MAX_REFS:
        raise RefusedError("push main and one tag at a time")
    tags = [update for update in updates if update.is_tag]
    if len(tags) > 1:
        raise RefusedError("push one tag at a time")
    main_after = _rev(repository, "refs/heads/main")
    for update in updates:
        if update.ref == "refs/heads/main":
            _judge_main(repository, update)
            main_after = update.new
        elif not update.is_tag:
            raise RefusedError(f"{update.ref}: only main and version tags are taken")
    for tag in tags:
        _judge_tag(repository, tag, main_after)
    return Update(tags[0].old, _commit(repository, tags[0].new), tags[0].ref) if tags else None


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


def _submission(repository: Path, tag: Update) -> Submission:
    provider, name = os.environ["SIGNALBOX_PUSH_SIGNAL"].split("/")
    return Submission(
        provider_id=uuid.UUID(os.environ["SIGNALBOX_PUSH_USER"]),
        provider=provider,
        name=name,
        version=tag.ref.removeprefix("refs/tags/"),
        commit=tag.new,
        repository=repository,
    )


def _audit(settings: GitSettings, updates: list[Update], reason: str) -> None:
    """Keep who tried what; a refusal stands even where it cannot be written down."""
    now = clock_of(settings.environment, settings.demo_clock)
    refs = [update.ref for update in updates[: MAX_REFS + 1]]
    with contextlib.suppress(psycopg.Error), _connect(settings) as connection:
        connection.execute(
            "insert into audit.event (at, actor_id, action, subject, detail)"
            " values (%s, %s, 'push.decline', %s, %s)",
            [
                now(), os.environ["SIGNALBOX_PUSH_USER"], os.environ["SIGNALBOX_PUSH_SIGNAL"],
                Jsonb({"refs": refs, "reason": reason}),
            ],
        )  # fmt: skip


def _terms(settings: GitSettings) -> Terms:
    return Terms(signer_of(settings), settings.scan_required)


def _connect(settings: GitSettings) -> psycopg.Connection[Any]:
    return psycopg.connect(conninfo(settings.database_url), autocommit=True)


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


def _end_with_the_pusher(_signal: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit("the pusher went away")


def _say(text: str) -> None:
    for line in text.splitlines():
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - git shows it as remote:


def _refuse(reason: str) -> NoReturn:
    _say("")
    _say("NOT PUBLISHED. The one thing to mend:")
    _say(reason)
    sys.exit(1)


if __name__ == "__main__":
    main()
