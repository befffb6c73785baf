"""The platform's baselines go the way of everybody's signals, over the symbols of the house."""

from datetime import UTC, datetime, timedelta

import click
import psycopg
import pytest
from click.testing import CliRunner

from assets.forecasts.version import published_versions
from assets.installation import Installation
from pipelines.operator.baselines import (
    BASELINES,
    commands,
    filled_in,
    known_symbols,
    publish_baselines,
)
from pipelines.operator.demo_people import Person
from pipelines.operator.home import CHECKOUT
from sandbox.runner.engine import available_engine
from signalbox import ManifestError, parse_manifest
from sql.roles import WORKER, conninfo, role_url


@pytest.fixture
def installation(house, postgres, built_store):
    admin, passwords = postgres
    url = role_url(admin, WORKER, passwords[WORKER], house.admin.database)
    return Installation(
        connect=lambda: psycopg.connect(conninfo(url), autocommit=True),
        engine=lambda: available_engine("embedded"),
        images=built_store,
        clock=lambda: datetime.now(UTC),
        feed_delay=timedelta(minutes=2),
        live_deadline=timedelta(minutes=10),
        api_url="",
    )


def test_a_baseline_is_pushed_once_and_again_when_the_symbols_have_changed(house, installation):
    pushing = house.person("signalbox")
    publisher = Person("signalbox", "signalbox@example.org", "", pushing.key)
    public, said = [], []

    def publish(*symbols):
        publish_baselines(
            installation, house.url, publisher, public.append, said.append, symbols, BASELINES[1:2]
        )
        with installation.connect() as connection:
            return [
                (version.version, version.manifest.forecast.symbols)
                for version in published_versions(connection)
                if version.provider == "signalbox"
            ]

    assert publish("EURUSD")[-1] == ("v1.0.0", ("EURUSD",))
    assert publish("EURUSD")[-1] == ("v1.0.0", ("EURUSD",))
    assert "is published already, with these symbols" in said[-1]
    everything = known_symbols(installation)
    assert {"EURUSD", "GBPUSD"} <= set(everything)
    assert publish()[-1] == ("v1.1.0", everything)
    assert public == ["signalbox/baseline-seasonal-naive"] * 2


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_takes_as_many_symbols_as_an_answer_holds(name, tmp_path):
    symbols = tuple(f"S{number}" for number in range(280))
    folder = filled_in(CHECKOUT / "examples" / name, tmp_path / name, symbols)
    manifest = parse_manifest((folder / "signal.toml").read_text())
    assert (manifest.signal.name, manifest.forecast.symbols) == (name, symbols)
    more = symbols + tuple(f"T{n}" for n in range(20))
    with pytest.raises(ManifestError, match="forecast fewer"):
        filled_in(CHECKOUT / "examples" / name, tmp_path / "more", more)


def test_the_command_says_what_it_lacks(tmp_path):
    def told(*arguments):
        group = click.Group(commands=list(commands))
        return CliRunner().invoke(group, ["baselines", *arguments, "--home", str(tmp_path)])

    (tmp_path / "key").write_text("sk_test_1_2\n")
    assert "Missing option '--key-file'" in told().output
    nowhere = told("--key-file", str(tmp_path / "key"))
    assert nowhere.exit_code == 1
    assert "start it with signalbox up" in nowhere.output
