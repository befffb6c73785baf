"""The operator's commands about packages, advisories and images, beside a running installation."""

import json
import shutil
import stat
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.operator.commands import commands
from pipelines.operator.home import Home
from pipelines.operator.house import open_house
from sql.roles import API, GIT, WORKER

OSV = {
    "id": "PYSEC-1",
    "modified": "2026-01-02T03:04:05Z",
    "affected": [{"package": {"name": "six", "ecosystem": "PyPI"}, "versions": ["1.0"]}],
}


@pytest.fixture(scope="module")
def home():
    # Where the database's own user can walk to: pytest's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="signalbox-supply-", dir="/var/tmp"))
    folder.chmod(0o755)
    made = Home(folder / "home")
    with open_house(made, lambda _: None):
        yield made
    shutil.rmtree(folder)


@pytest.fixture
def run(home):
    named = {command.name: command for command in commands}

    def runs(name, *arguments):
        return CliRunner().invoke(named[name], [*arguments, "--home", str(home.root)])

    return runs


def test_packages_are_denied_allowed_and_forgotten_and_the_list_says_what_that_means(run):
    said = run("packages", "deny", "Left_Pad", "--why", "ticket 12")
    assert (
        said.output == "deny   left-pad                       ticket 12\nall else may be locked\n"
    )
    assert "only what is allowed" in run("packages", "allow", "six", "idna").output
    run("packages", "forget", "six", "idna", "left-pad")
    assert run("packages", "list").output == "all else may be locked\n"


def test_a_name_that_no_package_can_have_is_refused_and_nothing_of_the_call_kept(run):
    said = run("packages", "allow", "six", "../evil")
    assert said.exit_code == 1
    assert "'../evil' is not the name of a package" in said.output
    assert json.loads(run("packages", "list", "--json").output) == []
    assert run("packages", "allow").exit_code == 2
    assert run("packages", "list", "six").exit_code == 2


def test_advisories_are_imported_listed_and_accepted_only_with_a_reason(run, tmp_path):
    assert "no database: versions are published unscanned" in run("advisories", "list").output
    file = tmp_path / "osv.json"
    file.write_text(json.dumps(OSV))
    said = run("advisories", "import", str(file))
    assert said.output.startswith("1 advisories of osv.json, the newest of 2026-01-02")
    assert run("advisories", "accept", "PYSEC-1").exit_code == 2
    assert run("advisories", "accept", "PYSEC-1", "--why", "not used").exit_code == 0
    missing = run("advisories", "import", str(tmp_path / "absent.zip"))
    assert (missing.exit_code, "no file" in missing.output) == (1, True)


def test_a_check_of_no_images_is_well(run):
    said = run("image", "check", "--json")
    assert said.exit_code == 0
    told = {"images": 0, "layers": 0, "altered": [], "mended": []}
    assert json.loads(said.output) == told


def test_the_signing_key_is_its_owners_alone_and_named_to_the_git_process_alone(home):
    key = home.root / "secrets" / "provenance.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    named = {
        role: "SIGNALBOX_PROVENANCE_KEY_FILE" in home.environment(home.admin(), role)
        for role in (API, GIT, WORKER)
    }
    assert named == {API: False, GIT: True, WORKER: False}
