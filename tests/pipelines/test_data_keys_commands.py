"""The operator's command about data-source keys, beside a running installation."""

import json
import shutil
import stat
import tempfile
import uuid
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from assets.market_data.source import PermanentSourceError
from pipelines.operator.commands import commands
from pipelines.operator.home import Home
from pipelines.operator.house import open_house
from pipelines.resources import installation_of, stored_key_of
from pipelines.settings import WorkerSettings, source_of
from sql.configuration import read_settings
from sql.data_source_keys import belongs_to
from sql.envelope import SealingKey, public_file
from sql.roles import API, GIT, WORKER, conninfo

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def home():
    # Where the database's own user can walk to: pytest's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="signalbox-data-keys-", dir="/var/tmp"))
    folder.chmod(0o755)
    made = Home(folder / "home")
    with open_house(made, lambda _: None):
        yield made
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def stored(home):
    """One stored key, as the API writes it: its id."""
    key_id, ada = uuid.uuid4(), uuid.uuid4()
    sealing_key = SealingKey.read(public_file(home.data_keys))
    envelope = sealing_key.seal(b"PKABCDEFGHIJKLMNOP SECRET", belongs_to(key_id, ada, "alpaca"))
    with psycopg.connect(conninfo(home.owner_url(home.admin()))) as connection:
        connection.execute(
            "insert into account.user_account values (%s, 'ada', 'a@x.org', 'x', 'member', now())",
            [ada],
        )
        connection.execute(
            "insert into account.data_source_key (id, user_id, name, source, shown, created_at,"
            " key_id, wrapped_key, sealed) values (%s, %s, 'n', 'alpaca', 's', now(), %s, %s, %s)",
            [key_id, ada, envelope.key_id, envelope.wrapped_key, envelope.sealed],
        )
    return key_id


@pytest.fixture
def run(home, stored):  # noqa: ARG001 - the commands are about a stored key
    (command,) = [command for command in commands if command.name == "data-keys"]

    def runs(*arguments):
        return CliRunner().invoke(command, [*arguments, "--home", str(home.root)])

    return runs


def pairs(run):
    return {
        one["id"]: (one["sealed"], one["state"])
        for one in json.loads(run("status", "--json").output)
    }


def test_a_pair_is_rotated_and_the_old_one_retired_while_the_stored_key_goes_along(run):
    ((old, what),) = pairs(run).items()
    assert what == (1, "seals")
    said = run("rotate")
    assert said.exit_code == 0, said.output
    assert said.output.startswith("1 keys sealed anew")
    new = next(one for one in pairs(run) if one != old)
    assert pairs(run) == {new: (1, "seals"), old: (0, "opens")}
    assert run("retire", new).exit_code == 1
    assert run("retire", old).exit_code == 0
    assert pairs(run) == {new: (1, "seals")}


def test_a_lost_pair_is_named_with_what_to_do(run, home):
    kept = home.data_keys.read_text()
    run("rotate")
    newest = home.data_keys.read_text().splitlines()[0]
    home.data_keys.write_text(kept)
    said = run("status")
    assert said.exit_code == 1
    assert f"{newest.split()[0]}  1 keys  lost: put its line back" in said.output
    refused = run("rotate")
    assert (refused.exit_code, "have the owner store" in refused.output) == (1, True)
    home.data_keys.write_text(f"{newest}\n{kept}")
    assert run("status").exit_code == 0


def test_a_market_source_opens_a_stored_key_when_it_is_first_asked_and_the_owner_is_told(
    home, stored
):
    installation = installation_of(read_settings(WorkerSettings, home.kept_environment()))
    stored_key = stored_key_of(installation, str(home.data_keys))
    with psycopg.connect(conninfo(home.owner_url(home.admin())), autocommit=True) as owner:

        def uses():
            return owner.execute(
                "select detail ->> 'why' from audit.event where action = 'data_source_key.use'"
                " and owner_id is not null and subject = %s",
                [str(stored)],
            ).fetchall()

        source = source_of(f"alpaca:stored={stored}:AAPL", stored_key)
        assert uses() == []
        assert source._client._api_key == "PKABCDEFGHIJKLMNOP"
        assert source._client._secret_key == "SECRET"
        assert uses() == [("bars of AAPL",)]


@pytest.mark.parametrize("opens", [True, False])
def test_a_stored_key_that_does_not_open_ends_the_source_with_what_to_do(home, stored, opens):
    installation = installation_of(read_settings(WorkerSettings, home.kept_environment()))
    missing = uuid.uuid4() if opens else stored
    stored_key = stored_key_of(installation, str(home.data_keys) if opens else None)
    source = source_of(f"alpaca:stored={missing}:AAPL", stored_key)
    told = "ask for its new id" if opens else "SIGNALBOX_DATA_KEY_FILE is not set"
    with pytest.raises(PermanentSourceError, match=f"{told}.*keys.md"):
        source.fetch("AAPL", AT, AT, AT)


def test_retire_needs_a_pair_and_the_others_take_none(run):
    assert run("retire").exit_code == 2
    assert run("status", "dk_x").exit_code == 2


def test_the_pairs_are_their_owners_alone_and_the_api_is_told_of_the_public_half_only(home):
    assert stat.S_IMODE(home.data_keys.stat().st_mode) == 0o600
    named = {role: str(home.environment(home.admin(), role)) for role in (API, GIT, WORKER)}
    assert f"'{public_file(home.data_keys)}'" in named[API]
    assert {role for role in named if f"'{home.data_keys}'" in named[role]} == {WORKER}
