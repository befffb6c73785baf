"""Everything of one machine under one supervisor: database, log, git, api, Dagster."""

import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import URL, make_url

from assets.transparency.signer.client import SocketSigner
from assets.transparency.signer.errors import RefusedError, SignerUnavailableError
from pipelines.operator.backup.settings import ArchiveSettings
from pipelines.operator.home import CHECKOUT, Home, default_root
from pipelines.operator.supervisor import Program, Supervisor, answers, listens
from pipelines.settings import WorkerSettings
from sandbox.runner.reaper import reap_everywhere
from sql import embedded
from sql.clock import system_clock
from sql.configuration import (
    ADMIN_PASSWORD_FILE,
    ConfigurationError,
    database_url,
    read_settings,
)
from sql.migrate import migrate
from sql.passwords import PasswordError, read_passwords
from sql.roles import (
    ALL_ROLES,
    API,
    DAGSTER,
    GIT,
    LOG,
    OWNER,
    WORKER,
    conninfo,
    create_roles,
    role_url,
)

Say = Callable[[str], None]


class InterruptedByOperatorError(BaseException):
    """SIGTERM came: leave by the same door as Ctrl-C."""


@dataclass
class House:
    """A prepared installation whose database runs."""

    home: Home
    admin: URL
    supervisor: Supervisor
    postgres: embedded.EmbeddedPostgres | None = None

    def watch(self) -> None:
        """Start again what has ended, the embedded Postgres too; call it often."""
        if self.postgres is not None and not self.postgres.is_running():
            self.supervisor.say("postgres ended; starting it again")
            with contextlib.suppress(RuntimeError):
                self.postgres.start_again()
        self.supervisor.watch()

    def worker_settings(self) -> WorkerSettings:
        """The settings of this installation's run workers."""
        return read_settings(WorkerSettings, self.home.environment(self.admin, WORKER))

    def start_all(self) -> None:
        """Start every process and wait until it answers."""
        serving, dagster = programs(self.home, self.admin)
        self.supervisor.start(serving)
        self.supervisor.start(dagster)


@contextmanager
def open_house(home: Home, say: Say) -> Iterator[House]:
    """Prepare an installation and its database; at the end stop whatever runs.

    The database is the embedded one unless SIGNALBOX_ADMIN_DATABASE_URL names
    another Postgres (15 or newer) by a role that may create roles and databases.
    """
    home.prepare()
    with _alone(home):
        yield from _opened(home, say)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Hold the installation's folder: two supervisors would stop each other's database."""
    with (home.root / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(
                f"{home.root} is in use by another signalbox process: stop that first,"
                " or name another folder with --home"
            ) from None
        yield


def _opened(home: Home, say: Say) -> Iterator[House]:
    own: embedded.EmbeddedPostgres | None = None
    given = given_admin()
    supervisor = Supervisor(home.logs, say)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        if given:
            admin = given
        else:
            archive = read_settings(ArchiveSettings).wal_archive == "on"
            own = embedded.start(home.root, archive=archive)
            admin = own.admin
        home.keep_admin(admin)
        home.keep_environment(admin)
        create_roles(admin, home.passwords())
        migrate(home.owner_url(admin))
        for ended in reap_everywhere(system_clock()):
            say(f"ended a sandbox that was left over: {ended}")
        yield House(home=home, admin=admin, supervisor=supervisor, postgres=own)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        supervisor.stop()
        if own is not None:
            own.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)


def given_admin() -> URL | None:
    """Where SIGNALBOX_ADMIN_DATABASE_URL says the database is; None: nowhere.

    Raises:
        ConfigurationError: its password cannot be read.
    """
    given = os.environ.get("SIGNALBOX_ADMIN_DATABASE_URL")
    return make_url(database_url(given, variable=ADMIN_PASSWORD_FILE)) if given else None


def owner_at(root: Path | None) -> URL:
    """How the owner connects: where the environment says, or to a folder's own installation.

    Raises:
        ConfigurationError: a password cannot be read.
        RuntimeError: nothing was ever started in the folder.
    """
    admin, folder = given_admin(), os.environ.get("SIGNALBOX_ROLE_PASSWORDS")
    if admin is None or not folder:
        home = Home(root or default_root("main"))
        return home.owner_url(home.admin())
    try:
        passwords = read_passwords("SIGNALBOX_ROLE_PASSWORDS", Path(folder), (OWNER,))
    except PasswordError as error:
        raise ConfigurationError(str(error)) from None
    return role_url(admin, OWNER, passwords[OWNER])


def migrate_given(folder: Path) -> None:
    """Set up the database that SIGNALBOX_ADMIN_DATABASE_URL names, for processes started elsewhere.

    Args:
        folder: holds a password file per role, named like it.

    Raises:
        ConfigurationError: no database is named, or a password cannot be read.
    """
    admin = given_admin()
    if admin is None:
        raise ConfigurationError(
            "SIGNALBOX_ROLE_PASSWORDS is set, but SIGNALBOX_ADMIN_DATABASE_URL is not: name the"
            " database, by a role that may create roles and databases"
        )
    try:
        passwords = read_passwords("SIGNALBOX_ROLE_PASSWORDS", folder, ALL_ROLES)
    except PasswordError as error:
        raise ConfigurationError(str(error)) from None
    create_roles(admin, passwords)
    migrate(role_url(admin, OWNER, passwords[OWNER]))


def _interrupted(*_: object) -> None:
    raise InterruptedByOperatorError


def programs(home: Home, admin: URL) -> tuple[list[Program], list[Program]]:
    """The processes of one machine: those that serve, and Dagster's, which need them."""
    python, ports = sys.executable, home.ports
    workspace = str(CHECKOUT / "workspace.yaml")
    web = ["dagster-webserver", "--host", "127.0.0.1", "--port", str(ports.dagster)]
    serving = [
        Program(
            "signer",
            [python, "-m", "assets.transparency.signer"],
            home.signer_environment(),
            _signs(home.signer_socket),
        ),
        Program(
            "log",
            [python, "-m", "assets.transparency.publisher"],
            home.environment(admin, LOG),
            _has_checkpoint(home.url(admin, LOG)),
        ),
        Program(
            "code-server",
            [python, "-m", "pipelines.code_server"],
            home.environment(admin, WORKER),
            listens(ports.code),
        ),
        Program(
            "api",
            [python, "-m", "api"],
            home.environment(admin, API),
            answers(f"{home.api_url}/healthz"),
        ),
        Program(
            "git",
            [python, "-m", "sandbox.git"],
            home.environment(admin, GIT),
            answers(f"{home.git_url}/healthz"),
        ),
    ]
    dagster = [
        Program(
            "dagster-webserver",
            [python, "-m", web[0].replace("-", "_"), *web[1:], "--workspace", workspace],
            home.environment(admin, DAGSTER),
            answers(f"{home.dagster_url}/server_info"),
        ),
        Program(
            "dagster-daemon",
            [python, "-m", "dagster._daemon", "run", "--workspace", workspace],
            home.environment(admin, DAGSTER),
            lambda: True,
        ),
    ]
    return serving, dagster


def _signs(path: Path) -> Callable[[], bool]:
    """Does the signer answer? A refusal is an answer: it says what to do in its log."""

    def is_up() -> bool:
        try:
            SocketSigner(path).state()
        except SignerUnavailableError:
            return False
        except RefusedError:
            return True
        return True

    return is_up


def _has_checkpoint(url: URL) -> Callable[[], bool]:
    """Has the publisher published? That of an empty log counts."""

    def is_up() -> bool:
        with psycopg.connect(conninfo(url)) as connection:
            row = connection.execute(
                "select exists (select from transparency.checkpoint)"
            ).fetchone()
        return bool(row and row[0])

    return is_up
