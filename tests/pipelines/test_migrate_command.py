"""`signalbox migrate` sets up an empty Postgres for processes that are started elsewhere."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from pipelines.operator.house import migrate_given
from sql import embedded
from sql.configuration import ConfigurationError
from sql.roles import ALL_ROLES, API, DAGSTER, conninfo, new_secrets, role_url


@pytest.fixture
def empty_postgres():
    """A server without a role of ours. In a short place that its system user can walk to."""
    home = Path(tempfile.mkdtemp(prefix="signalbox-migrate-", dir="/var/tmp"))
    home.chmod(0o755)
    server = embedded.start(home)
    yield server.admin
    server.stop()
    shutil.rmtree(home)


@pytest.fixture
def folder(tmp_path):
    """A password file per role."""
    roles = tmp_path / "roles"
    roles.mkdir()
    for role, password in new_secrets().items():
        (roles / role).write_text(password)
        (roles / role).chmod(0o400)
    return roles


def migrate(admin, folder, tmp_path):
    return signalbox(admin, folder, tmp_path, "migrate")


def signalbox(admin, folder, tmp_path, *words):
    secret = tmp_path / "postgres"
    secret.write_text(admin.password)
    secret.chmod(0o600)
    given = {k: v for k, v in os.environ.items() if not k.startswith("SIGNALBOX_")}
    ours = {
        "SIGNALBOX_ADMIN_DATABASE_URL": admin._replace(password=None).render_as_string(),
        "SIGNALBOX_ADMIN_DATABASE_PASSWORD_FILE": str(secret),
        "SIGNALBOX_ROLE_PASSWORDS": str(folder),
        "SIGNALBOX_HOME": str(tmp_path / "home"),
    }
    return subprocess.run(
        [sys.executable, "-c", "from signalbox.cli import main; main()", *words],
        env=given | ours, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def enters(admin, role, folder):
    url = role_url(admin, role, (folder / role).read_text())
    with psycopg.connect(conninfo(url)) as connection:
        return connection.execute("select current_user, current_database()").fetchone()


def test_a_role_without_a_password_and_passwords_without_a_database_are_told(folder, monkeypatch):
    monkeypatch.delenv("SIGNALBOX_ADMIN_DATABASE_URL", raising=False)
    with pytest.raises(ConfigurationError, match="SIGNALBOX_ADMIN_DATABASE_URL is not"):
        migrate_given(folder)
    monkeypatch.setenv("SIGNALBOX_ADMIN_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/x")
    (folder / DAGSTER).unlink()
    with pytest.raises(ConfigurationError, match=f"{folder / DAGSTER} cannot be read"):
        migrate_given(folder)


def test_an_empty_server_gets_roles_schema_and_changed_passwords(empty_postgres, folder, tmp_path):
    assert migrate(empty_postgres, folder, tmp_path).returncode == 0
    assert enters(empty_postgres, DAGSTER, folder) == (DAGSTER, "dagster")
    url = role_url(empty_postgres, API, (folder / API).read_text())
    with psycopg.connect(conninfo(url)) as connection:
        assert connection.execute("select count(*) from registry.signal").fetchone() == (0,)

    (folder / API).chmod(0o600)
    (folder / API).write_text("another-one")
    again = migrate(empty_postgres, folder, tmp_path)
    assert again.stdout == "migrated; the roles have the passwords of their files\n"
    assert all(enters(empty_postgres, role, folder)[0] == role for role in ALL_ROLES)
    assert not (tmp_path / "home").exists()

    # Other commands of the owner's find the database and the password in the same places.
    told = signalbox(empty_postgres, folder, tmp_path, "user", "make-operator", "a@example.org")
    assert "no account a@example.org: register it first" in told.stderr
    assert signalbox(empty_postgres, folder, tmp_path, "mail").returncode == 0
