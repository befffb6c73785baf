"""The running API keeps what its document says, whoever asks and whatever they send.

Schemathesis makes the requests. The suite asks little, and the same each time; ask for more by
`SIGNALBOX_CONFORMANCE_EXAMPLES=200 .venv/bin/pytest tests/api/test_conformance.py --timeout 3600`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from api.settings import ApiSettings
from sql.roles import API, DATABASE
from tests.api.conftest import NOW, SECRET, SLOT, Factory
from tests.api.server import serving
from tests.conftest import copied, covering

EXAMPLES = int(os.environ.get("SIGNALBOX_CONFORMANCE_EXAMPLES", "1"))
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
IS_LARGE = EXAMPLES > 10
PEOPLE = ("nobody", "subscriber", "provider", "operator")
# They end the login that the run itself uses, and are tested in test_tokens.py and accounts/.
ENDS_THE_RUN = ("logout_everywhere", "end_session")


@dataclass(frozen=True)
class World:
    url: str
    headers: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def world(postgres, tmp_path_factory) -> Iterator[World]:
    """A server, and who asks it: bob subscribes to ada's tide."""
    folder = tmp_path_factory.mktemp("conformance")
    (folder / "secret").write_bytes(SECRET)
    with copied(postgres, "test_conformance", DATABASE) as database:
        with database.superuser() as connection:
            headers = people(Factory(connection, covering(database, folder / "signer")))
        settings = ApiSettings(
            database_url=database.url(API).render_as_string(hide_password=False),
            secret_key_file=str(folder / "secret"),
            environment="test",
        )
        with serving(settings, SIGNALBOX_RATE_LIMITS="off") as url:
            yield World(url, headers)


HOOKS = {
    "PYTHONPATH": str(Path(__file__).parents[2]),
    "SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks",
}


def people(make: Factory) -> dict[str, dict[str, str]]:
    ada, bob = make.person("ada"), make.person("bob")
    tide = make.signal(ada)
    for hours in range(3):
        make.slot(tide, SLOT - timedelta(hours=hours))
        make.bar(SLOT - timedelta(hours=hours + 1), 1.2, batch=1, known=NOW)
    make.subscription(bob, tide)
    root = make.person("root", "operator")
    return {
        "nobody": {},
        "subscriber": bob.headers,
        "provider": ada.headers,
        "operator": root.headers,
    }


@pytest.mark.timeout(3600 if IS_LARGE else 120)
@pytest.mark.parametrize("who", PEOPLE)
def test_nothing_that_the_document_allows_or_forbids_makes_the_api_break_it(world, who, tmp_path):
    done = subprocess.run(
        [*command(world, who), f"--report-ndjson-path={tmp_path / 'events.ndjson'}"],
        cwd=tmp_path,
        env={**os.environ, **HOOKS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


def command(world: World, who: str) -> list[str]:
    phases = (
        os.environ.get("PHASES") or "examples,coverage,fuzzing,stateful"
        if IS_LARGE
        else "examples,fuzzing,stateful"
    )
    return [
        str(Path(sys.executable).parent / "schemathesis"),
        *(
            "--config-file",
            str(CONFIGURATION),
            "run",
            f"{world.url}/schema/openapi.json",
            "--url",
            world.url,
            "--checks",
            "all",
        ),
        *("--phases", phases, "--max-examples", str(EXAMPLES), "--seed", "1"),
        *("--generation-deterministic", "--no-color", "--generation-allow-x00", "false"),
        *(f"--header={name}: {value}" for name, value in world.headers[who].items()),
        *(f"--exclude-operation-id={name}" for name in ENDS_THE_RUN),
    ]
