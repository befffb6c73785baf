"""A witness cosigns a log that only grows: by the protocol, over HTTP, and after every crash."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest
from click.testing import CliRunner

from signalbox.cli.witness import witness as commands
from signalbox.log.checkpoint import Checkpoint
from signalbox.log.cosignature import cosigned_at
from signalbox.log.errors import StateError
from signalbox.log.files import read_sealed
from signalbox.log.merkle import consistency_proof
from signalbox.log.note import parse_note, parse_vkey
from signalbox.log.policy import Party, Policy
from signalbox.log.serving import make_server
from signalbox.log.witness import Witness, init_folder, state_path

NOW = 1_800_000_000
# Without the operator's commands, which come with Dagster and its start-up time.
PROGRAM = [sys.executable, "-c", "from signalbox.cli.witness import witness; witness()"]


@pytest.fixture
def log(make_log):
    log = make_log(cosigners=())
    for number in range(20):
        log.append_body(str(number).encode())
    return log


@pytest.fixture
def folder(log, tmp_path):
    init_folder(tmp_path / "w", "witness.example/new", Policy((Party(log.log_key.verifier),)))
    return tmp_path / "w"


@pytest.fixture
def witness(folder):
    witness = Witness(folder)
    yield witness
    witness.close()


def request(log, old, new, *, note=None, proof=None) -> bytes:
    hashes = consistency_proof(old, new, log.read) if proof is None else proof
    lines = "".join(f"{base64.b64encode(one).decode()}\n" for one in hashes)
    return f"old {old}\n{lines}\n".encode() + (note or log.sign(NOW, head=log.head(new)))


def test_a_log_that_grows_is_cosigned(log, witness):
    for old, new in [(0, 5), (5, 5), (5, 6), (6, 20)]:
        posted = request(log, old, new)
        answer = witness.add_checkpoint(posted, NOW + new)

        assert (answer.status, answer.body[:2]) == (200, "— ")
        note = parse_note(posted.split(b"\n\n", 1)[1] + answer.body.encode())
        assert cosigned_at(note, witness.key.verifier) == NOW + new
    assert witness.status().logs == {"example.com/log": 20}


def test_the_first_request_may_ask_for_any_tree(log, witness):
    assert witness.add_checkpoint(request(log, 0, 20), NOW).status == 200


def test_an_old_size_that_is_not_the_last_is_told_the_last(log, witness):
    witness.add_checkpoint(request(log, 0, 7), NOW)
    for old in (0, 5, 8):
        answer = witness.add_checkpoint(request(log, old, 20), NOW)
        assert (answer.status, answer.body, answer.content_type) == (
            409, "7\n", "text/x.tlog.size",
        )  # fmt: skip


def test_a_log_that_shrinks_is_refused(log, witness):
    witness.add_checkpoint(request(log, 0, 7), NOW)
    shrunk = request(log, 5, 5)
    assert witness.add_checkpoint(shrunk, NOW).status == 409
    assert witness.add_checkpoint(shrunk.replace(b"old 5", b"old 7"), NOW).status == 400


def forked(log, size) -> bytes:
    return log.sign(NOW, head=Checkpoint(log.origin, size, bytes(32)))


def test_two_roots_for_one_size_are_refused_and_kept(log, witness):
    first = request(log, 0, 7)
    witness.add_checkpoint(first, NOW)
    for old in (7, 0):
        posted = request(log, old, 7, note=forked(log, 7), proof=[])
        assert witness.add_checkpoint(posted, NOW).status == 409
    (case,) = witness.evidence.names()
    kept = witness.evidence.read(case)
    assert kept["why"] == "two roots for one size\n"
    assert kept["seen.note"].encode() == first.split(b"\n\n", 1)[1]
    assert kept["shown.note"].encode() == forked(log, 7)


def test_a_larger_tree_of_another_history_is_refused_and_kept(log, witness):
    witness.add_checkpoint(request(log, 0, 7), NOW)
    posted = request(log, 7, 9, note=forked(log, 9))
    assert witness.add_checkpoint(posted, NOW).status == 422
    assert len(witness.evidence.names()) == 1
    assert witness.add_checkpoint(request(log, 7, 9), NOW).status == 200


def test_a_log_that_is_not_followed_is_not_found(witness, make_log):
    other = make_log(origin="example.com/other", cosigners=())
    other.append_body(b"leaf")
    assert witness.add_checkpoint(request(other, 0, 1), NOW).status == 404


def test_a_checkpoint_that_the_log_did_not_sign_is_forbidden(log, witness, make_log):
    impostor = make_log(origin="example.com/other", cosigners=())
    head = log.head(5)
    line = impostor.log_key.sign(head.text).line.replace("example.com/other", "example.com/log")
    posted = request(log, 0, 5, note=f"{head.text}\n{line}".encode())
    assert witness.add_checkpoint(posted, NOW).status == 403


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:0],
        lambda body: body.replace(b"old 0", b"old 00"),
        lambda body: body.replace(b"old 0", b"old -1"),
        lambda body: body.replace(b"old 0", b"new 0"),
        lambda body: body.replace(b"old 0\n", b"old 0\n" + b"AAAA\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\nno hash\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"=\n" * 64),
        lambda body: body.replace(b"\n5\n", b"\nfive\n"),
        lambda body: body[:-1],
        lambda body: b"\xff" + body,
    ],
)
def test_a_malformed_request_is_bad(log, witness, spoil):
    assert witness.add_checkpoint(spoil(request(log, 0, 5)), NOW).status == 400


def test_a_proof_from_nothing_must_be_empty(log, witness):
    posted = request(log, 0, 5, proof=[bytes(32)])
    assert witness.add_checkpoint(posted, NOW).status == 422


def test_what_was_cosigned_is_remembered_by_the_next_process(log, folder):
    first = Witness(folder)
    first.add_checkpoint(request(log, 0, 7), NOW)
    with pytest.raises(StateError, match="another process has"):
        Witness(folder)
    first.close()
    second = Witness(folder)
    assert second.add_checkpoint(request(log, 0, 9), NOW).body == "7\n"
    second.close()


def test_a_torn_lost_or_exchanged_state_is_refused(log, folder):
    first = Witness(folder)
    first.add_checkpoint(request(log, 0, 7), NOW)
    first.close()
    path = state_path(folder, log.origin)
    whole = path.read_bytes()
    for torn in (whole[:-1], b"", whole.replace(b'"size":7', b'"size":5')):
        path.write_bytes(torn)
        with pytest.raises(StateError, match="torn or was edited"):
            Witness(folder)
    path.unlink()
    with pytest.raises(StateError, match="its key must not sign again"):
        Witness(folder)


def test_a_key_that_others_can_read_is_refused(folder):
    (folder / "key").chmod(0o644)
    with pytest.raises(StateError, match="chmod 600"):
        Witness(folder)


def test_no_key_is_made_twice(log, folder):
    with pytest.raises(FileExistsError):
        init_folder(folder, "witness.example/new", Policy((Party(log.log_key.verifier),)))
    assert (folder / "key").stat().st_mode & 0o777 == 0o600


# Over HTTP.


@pytest.fixture
def address(witness):
    server = make_server(witness, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_address
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_protocol_is_spoken_over_http(log, address):
    url = "http://{}:{}".format(*address)
    with httpx.Client() as client:
        cosigned = client.post(f"{url}/add-checkpoint", content=request(log, 0, 5))
        assert cosigned.status_code == 200
        conflict = client.post(f"{url}/add-checkpoint", content=request(log, 0, 9))
        assert conflict.status_code == 409
        assert conflict.headers["content-type"] == "text/x.tlog.size"
        assert client.get(url).json()["logs"] == {"example.com/log": 5}
        assert client.get(f"{url}/key").status_code == 404
        assert client.post(f"{url}/elsewhere").status_code == 404
        assert client.put(f"{url}/add-checkpoint").status_code == 501


def test_a_body_without_bounds_is_refused(log, address):
    url = "http://{}:{}/add-checkpoint".format(*address)
    assert httpx.post(url, content=bytes(200_000)).status_code == 413
    assert httpx.post(url, content=iter([b"x"])).status_code == 411
    with socket.create_connection(address) as slow:
        slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\n")
        assert httpx.post(url, content=request(log, 0, 5)).status_code == 200


def test_requests_at_once_never_roll_the_witness_back(log, witness, address):
    """The race of the specification: A is checked, B is stored, A is stored."""
    url = "http://{}:{}/add-checkpoint".format(*address)
    answers = []

    def post(new):
        answers.append((new, httpx.post(url, content=request(log, 0, new)).status_code))

    threads = [threading.Thread(target=post, args=(new,)) for new in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cosigned = [new for new, status in answers if status == 200]
    assert len(cosigned) == 1
    assert witness.status().logs == {"example.com/log": cosigned[0]}


def test_a_witness_killed_at_any_moment_never_forgets_what_it_cosigned(log, folder):
    """kill -9 while it answers: what a client holds a cosignature for is on disk."""
    command = [*PROGRAM, "run", str(folder), "--port", "0"]
    held = 0
    for kill_after in (0.002, 0.01):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            port = process.stdout.readline().rsplit(":", 1)[1].strip()
            killer = threading.Timer(kill_after, os.kill, (process.pid, signal.SIGKILL))
            killer.start()
            try:
                for new in range(held + 1, 20):
                    posted = request(log, held, new)
                    url = f"http://127.0.0.1:{port}/add-checkpoint"
                    answer = httpx.post(url, content=posted, timeout=5)
                    if answer.status_code == 409:  # cosigned, but the answer was lost
                        held = int(answer.text)
                        continue
                    assert answer.status_code == 200
                    held = new
            except httpx.HTTPError:
                pass
            killer.join()
            process.wait()
        kept = Witness(folder)
        assert kept.status().logs["example.com/log"] >= held
        held = kept.status().logs["example.com/log"]
        kept.close()
    read_sealed(state_path(folder, log.origin))


def test_the_commands_make_run_and_show(log, tmp_path):
    folder = str(tmp_path / "north")
    key = log.log_key.verifier.vkey
    made = CliRunner().invoke(
        commands, ["init", folder, "--name", "witness.example/north", "--log", key]
    )
    word, name, vkey = made.output.split()
    assert (word, name, parse_vkey(vkey).name) == ("witness", "north", "witness.example/north")
    with subprocess.Popen(
        [*PROGRAM, "run", folder, "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        port = process.stdout.readline().rsplit(":", 1)[1].strip()
        posted = httpx.post(f"http://127.0.0.1:{port}/add-checkpoint", content=request(log, 0, 5))
        assert posted.status_code == 200
        process.terminate()
        assert process.wait(timeout=20) == 0
    shown = CliRunner().invoke(commands, ["show", folder])
    assert shown.output.splitlines() == [vkey, "example.com/log: 5 leaves cosigned"]
    again = CliRunner().invoke(commands, ["init", folder, "--name", "x", "--log", key])
    assert (again.exit_code, "has a key already" in again.output) == (1, True)
    told = CliRunner().invoke(commands, ["show", folder, "--json"])
    assert json.loads(told.output)["logs"] == {"example.com/log": 5}
