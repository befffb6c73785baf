"""What git asks before it takes a push, and tells after it did.

`pre-receive` judges certificate and refs and builds the one tag of the push; what it
prints the pusher reads as `remote:` lines. `post-receive` makes the version live.
Both run as children of `git receive-pack`, with the git process' role.
"""

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import psycopg
from psycopg.types.json import Jsonb

from sandbox.git.certificate import Certificate, certificate, judge_certificate
from sandbox.git.judge import Update, judge, peeled
from sandbox.git.limits import MAX_REFS, lift
from sandbox.git.report import Report
from sandbox.git.settings import GitSettings
from sandbox.git.turns import wait_for_turn
from sandbox.registry.errors import RefusedError
from sandbox.registry.reservation import Submission, reserve
from sql.clock import clock_of
from sql.configuration import read_settings
from sql.roles import conninfo


def main() -> None:
    """Run the hook that git named."""
    lift()
    updates = [Update(*line.split()) for line in sys.stdin.read().splitlines()]
    settings = read_settings(GitSettings)
    repository = Path(os.environ["SIGNALBOX_PUSH_REPOSITORY"])
    try:
        {"pre-receive": pre_receive, "post-receive": post_receive}[sys.argv[1]](
            settings, repository, updates
        )
    except RefusedError as error:
        Report.of_environment().ended("declined")
        _audit(settings, "push.decline", updates, reason=str(error))
        _refuse(str(error))
    except Exception as error:  # noqa: BLE001 - a traceback would tell the pusher nothing
        Report.of_environment().ended("failed")
        _say(f"the platform failed, not your push: {error}")
        _refuse("push again; nothing was published")


def pre_receive(settings: GitSettings, repository: Path, updates: list[Update]) -> None:
    """Refuse what breaks a rule; reserve and build the tag."""
    signed = certificate(os.environ)
    if signed is not None:
        with _connect(settings) as connection:
            judge_certificate(connection, signed, _pusher())
    tag = judge(repository, updates)
    if signed is not None:
        _keep(settings, repository, updates, signed)
    report = Report.of_environment()
    if tag is None:
        report.ended("taken")
        return
    signal.signal(signal.SIGTERM, _end_with_the_pusher)
    now = clock_of(settings.environment, settings.demo_clock)
    submission = _submission(repository, tag)
    with _connect(settings) as connection:
        reservation = reserve(connection, submission, now())
        with report.step("wait"):
            wait_for_turn(int(os.environ["SIGNALBOX_PUSH_TURN"]), _say)
        from sandbox.git.publication import build_version  # noqa: PLC0415 - see there

        build_version(settings, connection, submission, reservation, now, report.timing(_say))


def post_receive(settings: GitSettings, repository: Path, updates: list[Update]) -> None:
    """Make the built tag live; says where it can be seen."""
    tag = next((update for update in updates if update.is_tag), None)
    if tag is None:
        return
    # The tag stands: whoever goes away now changes nothing.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    from sandbox.git.publication import publish_version  # noqa: PLC0415 - see there

    now, report = clock_of(settings.environment, settings.demo_clock), Report.of_environment()
    submission = _submission(repository, peeled(repository, tag))
    try:
        with _connect(settings) as connection, report.step("publish"):
            publish_version(settings, connection, submission, now, _say)
        report.ended("published")
    except Exception:
        # Else git would answer "up to date" to a second push of this tag.
        _git(repository, "update-ref", "-d", tag.ref, tag.new)
        raise


def _pusher() -> uuid.UUID:
    return uuid.UUID(os.environ["SIGNALBOX_PUSH_USER"])


def _submission(repository: Path, tag: Update) -> Submission:
    provider, name = os.environ["SIGNALBOX_PUSH_SIGNAL"].split("/")
    return Submission(
        provider_id=_pusher(),
        provider=provider,
        name=name,
        version=tag.ref.removeprefix("refs/tags/"),
        commit=tag.new,
        repository=repository,
    )


def _keep(
    settings: GitSettings, repository: Path, updates: list[Update], signed: Certificate
) -> None:
    """Keep a certificate that was taken: it proves to others what its key's holder pushed."""
    text = _git(repository, "cat-file", "blob", signed.blob).stdout
    _audit(settings, "push.sign", updates, key=signed.fingerprint, certificate=text)


def _audit(settings: GitSettings, action: str, updates: list[Update], **detail: str) -> None:
    """Keep who tried what; a refusal stands even where it cannot be written down."""
    now = clock_of(settings.environment, settings.demo_clock)
    refs = [update.ref for update in updates[: MAX_REFS + 1]]
    with contextlib.suppress(psycopg.Error), _connect(settings) as connection:
        connection.execute(
            "insert into audit.event (at, actor_id, action, subject, detail)"
            " values (%s, %s, %s, %s, %s)",
            [now(), _pusher(), action, os.environ["SIGNALBOX_PUSH_SIGNAL"],
             Jsonb({"refs": refs, **detail})],
        )  # fmt: skip


def _connect(settings: GitSettings) -> psycopg.Connection[Any]:
    return psycopg.connect(conninfo(settings.database_url), autocommit=True)


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments], cwd=repository, capture_output=True, text=True, check=False
    )


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
