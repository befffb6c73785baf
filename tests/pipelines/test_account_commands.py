"""The operator's commands about people: their letters, and second factors that are lost."""

import json
import shutil
import tempfile
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from pipelines.operator.commands import commands
from pipelines.operator.home import Home
from pipelines.operator.house import open_house
from sql.roles import DATABASE, conninfo

ADA = uuid.uuid4()


@pytest.fixture(scope="module")
def home():
    # Where the database's own user can walk to: pytest's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="signalbox-people-", dir="/var/tmp"))
    folder.chmod(0o755)
    made = Home(folder / "home")
    with open_house(made, lambda _: None):
        with closing(superuser(made)) as connection:
            connection.execute(
                "insert into account.user_account values (%s, 'ada', 'ada@example.org', 'x',"
                " 'member', now())",
                [ADA],
            )
            for hour, kind in ((8, "first"), (9, "second")):
                connection.execute(
                    "select account.put_mail(%s, %s, 'Hello', %s, %s)",
                    [ADA, kind, f"the {kind} letter\n", datetime(2026, 11, 21, hour, tzinfo=UTC)],
                )
            connection.execute(
                "select account.mail_was_sent(id, '2026-11-21 09:01Z') from account.mail"
                " where kind = 'first'"
            )
        yield made
    shutil.rmtree(folder)


def superuser(home):
    return psycopg.connect(conninfo(home.admin().set(database=DATABASE)), autocommit=True)


@pytest.fixture
def run(home):
    named = {command.name: command for command in commands}

    def runs(name, *arguments):
        return CliRunner().invoke(named[name], [*arguments, "--home", str(home.root)])

    return runs


def test_the_outbox_shows_what_waits_with_its_words_and_what_is_sent_without(run):
    said = run("mail", "--to", "ADA@example.org").output
    assert "ada@example.org  Hello  [sent 2026-11-21 09:01 UTC]" in said
    assert "ada@example.org  Hello  [waits]\n    the second letter\n2 letters" in said
    listed = json.loads(run("mail", "--json").output)
    assert {letter["kind"]: letter["text"] for letter in listed} == {
        "first": "",
        "second": "the second letter\n",
    }
    assert json.loads(run("mail", "--json", "--to", "bob@example.org").output) == []


def test_a_lost_second_factor_is_removed_with_its_codes_and_every_login(run, home):
    with closing(superuser(home)) as connection:
        connection.execute(
            "insert into account.totp values (%s, %s, now(), now(), 0)", [ADA, b"x" * 48]
        )
        connection.execute("insert into account.recovery_code values (%s, 'c', null)", [ADA])
        connection.execute(
            "insert into account.session values (%s, %s, now(), now(), now(), null, '', '', true)",
            [uuid.uuid4(), ADA],
        )
        assert run("user", "remove-totp", "Ada@example.org").exit_code == 0
        left = connection.execute(
            "select (select count(*) from account.totp),"
            " (select count(*) from account.recovery_code),"
            " (select count(*) from account.session where ended_at is null),"
            " (select action from audit.event)"
        ).fetchone()
    assert left == (0, 0, 0, "totp.remove_by_operator")
    again = run("user", "remove-totp", "ada@example.org")
    assert (again.exit_code, "no account" in again.output) == (1, True)
