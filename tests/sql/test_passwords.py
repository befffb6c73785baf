"""Passwords come from files that only their process can read, and from one place."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from api.settings import ApiSettings
from sql.configuration import ConfigurationError, database_url, read_settings
from sql.roles import API, conninfo

VARIABLE = "SIGNALBOX_DATABASE_PASSWORD_FILE"
URL = "postgresql+psycopg://ada@db:5433/signalbox?connect_timeout=3"


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "signalbox_api"
    file.write_text("x@/y:%\n")
    file.chmod(0o640)
    return file


def test_a_password_of_any_letters_reaches_libpq_whole(password):
    url = database_url(URL, {VARIABLE: str(password)})
    assert conninfo_to_dict(conninfo(url)) == {
        "user": "ada", "password": "x@/y:%", "dbname": "signalbox", "host": "db", "port": "5433",
        "connect_timeout": "3",
    }  # fmt: skip


def test_a_url_without_a_host_keeps_its_socket(password):
    url = database_url("postgresql://ada@/signalbox?host=/run/pg", {VARIABLE: str(password)})
    found = conninfo_to_dict(conninfo(url))
    assert found["host"] == "/run/pg"
    assert found["password"] == "x@/y:%"


def test_a_process_enters_the_database_by_url_and_file(database, password):
    url = database.url(API)
    password.write_text(database.passwords[API])
    environment = {
        "SIGNALBOX_DATABASE_URL": url._replace(password=None).render_as_string(),
        VARIABLE: str(password),
        "SIGNALBOX_SECRET_KEY_FILE": "/nowhere",
    }
    settings = read_settings(ApiSettings, environment)
    with psycopg.connect(conninfo(settings.database_url)) as connection:
        assert connection.execute("select current_user").fetchone() == (API,)


@pytest.mark.parametrize(
    ("content", "mode"),
    [("", 0o600), (" \n", 0o600), ("a\nb", 0o600), ("a b", 0o600), ("a", 0o604), ("a", 0o602)],
)
def test_a_file_that_is_no_secret_is_refused_by_its_name(password, content, mode):
    password.write_text(content)
    password.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"{VARIABLE}: {password}"):
        database_url(URL, {VARIABLE: str(password)})


def test_a_missing_file_and_a_second_password_are_refused(password):
    with pytest.raises(ConfigurationError, match="No such file"):
        database_url(URL, {VARIABLE: str(password.parent / "none")})
    with pytest.raises(ConfigurationError, match="remove one"):
        database_url(URL.replace("ada@", "ada:two@"), {VARIABLE: str(password)})
    with pytest.raises(ConfigurationError, match="no user"):
        database_url("postgresql://db/signalbox", {VARIABLE: str(password)})


def test_no_message_tells_a_password(password):
    password.write_text("hunter2\nhunter3")
    with pytest.raises(ConfigurationError) as refused:
        database_url(URL.replace("ada@", "ada:hunter4@"), {VARIABLE: str(password)})
    assert "hunter" not in str(refused.value)
    with pytest.raises(ConfigurationError) as refused:
        database_url(URL, {VARIABLE: str(password)})
    assert "hunter" not in str(refused.value)


def test_a_hook_of_git_does_not_load_sqlalchemy_for_it():
    said = subprocess.run(
        [sys.executable, "-c", "import sys, sql.configuration; print('sqlalchemy' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == "False\n"
