"""Go's x/mod/sumdb, which had no part in ours, reads our notes, tiles and proofs."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from signalbox.log.merkle import consistency_proof, inclusion_proof, tree_root
from signalbox.log.note import parse_note, verify_note
from signalbox.log.tiles import new_tiles, tile_addresses

SOURCE = Path(__file__).parent / "go" / "check.go"
LIBRARY = Path("/usr/share/gocode")
SIZE = 70_000


def missing() -> str | None:
    if shutil.which("go") is None:
        return "go is not on PATH: apt-get install golang-go"
    if not (LIBRARY / "src/golang.org/x/mod/sumdb").is_dir():
        return "x/mod is missing: apt-get install golang-golang-x-mod-dev"
    return None


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> Path:
    if (reason := missing()) is not None:
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {reason}")
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("go")
    settings = {"GO111MODULE": "off", "GOPATH": str(LIBRARY), "GOCACHE": str(folder / "cache"),
                "GOFLAGS": "-p=2", "HOME": str(folder)}  # fmt: skip
    subprocess.run(
        ["go", "build", "-o", folder / "check", SOURCE], check=True, env=os.environ | settings
    )
    return folder / "check"


@pytest.fixture(scope="module")
def log(make_log):
    log = make_log(cosigners=())
    for number in range(SIZE):
        log.append_body(str(number).encode())
    return log


@pytest.fixture(scope="module")
def question(log, tmp_path_factory):
    """A checkpoint, its tiles in a folder, and proofs; hashes in base64, as Go reads them."""
    folder = tmp_path_factory.mktemp("tiles")
    for tile in new_tiles(0, SIZE):
        path = folder / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(log.read(tile_addresses(tile))))

    def encoded(hashes):
        return [base64.b64encode(one).decode() for one in hashes]

    places = (0, 1, 255, 256, 65_535, 65_536, SIZE - 1)
    return {
        "Vkey": log.log_key.verifier.vkey,
        "Skey": log.log_key.skey,
        "Note": log.sign(1).decode(),
        "Tiles": str(folder),
        "Size": SIZE,
        "Root": encoded([log.head().root])[0],
        "Inclusion": [
            {"Index": place, "Leaf": encoded([log.levels[0][place]])[0],
             "Proof": encoded(inclusion_proof(place, SIZE, log.read))}
            for place in places
        ],
        "Consistency": [
            {"Size": size, "Root": encoded([tree_root(size, log.read)])[0],
             "Proof": encoded(consistency_proof(size, SIZE, log.read))}
            for size in places[1:]
        ],
    }  # fmt: skip


def ask(program: Path, question) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program], input=json.dumps(question), capture_output=True, text=True, check=False
    )


def test_go_verifies_our_note_tiles_and_proofs(program, question, log):
    done = ask(program, question)

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["Text"] == log.head().text
    assert verify_note(parse_note(answer["Signed"].encode()), [log.log_key.verifier])
    assert answer["Signed"].split("\n")[4] == question["Note"].split("\n")[4]


def test_go_refuses_what_we_refuse(program, question, log):
    """The check can fail: each part, spoilt, is noticed by Go too."""
    other = base64.b64encode(bytes(32)).decode()
    inclusion, consistency = question["Inclusion"][3], question["Consistency"][3]
    for spoilt in (
        {"Note": question["Note"].replace("70000", "70001")},
        {"Root": other},
        {"Inclusion": [inclusion | {"Leaf": other}]},
        {"Consistency": [consistency | {"Root": other}]},
        {"Tiles": "/nonexistent"},
    ):
        assert ask(program, question | spoilt).returncode == 1
    assert log.head().size == SIZE
