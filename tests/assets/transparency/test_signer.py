"""The signer signs one history, whatever it is told."""

import os
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assets.transparency.signer.client import SocketSigner
from assets.transparency.signer.errors import RefusedError, SignerUnavailableError
from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.server import SignerServer
from assets.transparency.signer.signer import Signer, recover
from signalbox.leaf import leaf_hash
from signalbox.log.checkpoint import Checkpoint
from signalbox.log.merkle import consistency_proof, root_of
from signalbox.log.policy import open_evidence, own_word_policy

NOW = datetime(2026, 11, 20, 8, 3, tzinfo=UTC)
ORIGIN = "example.org/log"
HASHES = [leaf_hash(b"%d" % n) for n in range(300)]
OTHERS = [leaf_hash(b"other %d" % n) for n in range(300)]


def text(size, hashes=HASHES):
    return Checkpoint(ORIGIN, size, root_of(hashes[:size])).text


def proof(old, new, hashes=HASHES):
    def read(wanted):
        return [root_of(hashes[index << level : (index + 1) << level]) for level, index in wanted]

    return consistency_proof(old, new, read)


@pytest.fixture
def folder(tmp_path):
    made = SignerFolder(tmp_path)
    made.prepare(ORIGIN)
    return made


@pytest.fixture
def signer(folder):
    return Signer(folder, lambda: NOW)


@pytest.fixture
def served(signer, tmp_path):
    """The signer behind a socket, as the publisher sees it."""
    with SignerServer(signer, tmp_path, tmp_path / "socket") as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield SocketSigner(tmp_path / "socket")
        server.shutdown()
        thread.join()


def grow(signer, *sizes):
    old = signer.state().size
    for size in sizes:
        signer.sign(text(size), old, proof(old, size))
        old = size


def test_what_extends_is_signed_dated_and_remembered(served):
    grow(served, 1, 7, 300)
    note = served.sign(text(300), 300, [])
    state = served.state()
    assert (state.size, state.root) == (300, root_of(HASHES))
    evidence = open_evidence(note, own_word_policy(state.keys))
    assert evidence.checkpoint.size == 300
    assert evidence.reached_at == NOW.timestamp()


@pytest.mark.parametrize(
    ("code", "ask"),
    [
        ("forked", lambda: (text(7, OTHERS), 7, [])),
        ("inconsistent", lambda: (text(9, OTHERS), 7, proof(7, 9, OTHERS))),
        ("inconsistent", lambda: (text(9), 7, [])),
        ("inconsistent", lambda: (text(9), 7, proof(6, 9))),
        ("shrunk", lambda: (text(6), 6, [])),
        ("shrunk", lambda: (text(6), 7, proof(6, 7))),
        ("behind", lambda: (text(9), 0, [])),
        ("behind", lambda: (text(9), 8, proof(8, 9))),
        ("other_log", lambda: (text(9).replace(ORIGIN, "example.org/other"), 7, proof(7, 9))),
        ("malformed", lambda: (text(9) + "extension\n", 7, proof(7, 9))),
        ("malformed", lambda: ("nonsense", 7, [])),
    ],
)
def test_another_history_is_refused_and_changes_nothing(served, code, ask):
    grow(served, 7)
    with pytest.raises(RefusedError) as refused:
        served.sign(*ask())
    assert refused.value.code == code
    assert served.state().size == 7
    grow(served, 9)


def test_after_a_restored_backup_it_refuses_and_says_what_to_do(signer):
    grow(signer, 9)
    with pytest.raises(RefusedError, match=r"restored from a backup.*docs/operations/log.md"):
        signer.sign(text(5), 5, [])


@pytest.mark.parametrize("damage", ["", "{", '{"size":3,"root":"00","sum":"00"}', None])
def test_with_its_state_lost_or_torn_it_refuses_until_recovered(folder, signer, damage):
    grow(signer, 3)
    newest = signer.sign(text(7), 3, proof(3, 7))
    state = folder.path / "state"
    state.unlink()
    if damage is not None:
        state.write_text(damage)
    with pytest.raises(RefusedError, match="signalbox signer recover"):
        signer.sign(text(9), 7, proof(7, 9))
    folder.prepare(ORIGIN)  # as a restart does: it must not begin anew
    with pytest.raises(RefusedError, match="signalbox signer recover"):
        signer.state()
    assert recover(folder, newest).size == 7
    grow(signer, 9)


def test_recovering_to_something_older_or_of_another_key_is_refused(folder, signer, tmp_path):
    older = signer.sign(text(3), 0, [])
    grow(signer, 7)
    with pytest.raises(ValueError, match="never goes back to 3"):
        recover(folder, older)
    (tmp_path / "other").mkdir()
    other = SignerFolder(tmp_path / "other")
    other.prepare(ORIGIN)
    forged = Signer(other, lambda: NOW).sign(text(9, OTHERS), 0, [])
    with pytest.raises(ValueError, match="not signed by"):
        recover(folder, forged)


def test_during_a_rotation_both_keys_sign_and_afterwards_the_new_one_alone(folder, signer):
    old = signer.state().keys
    new = folder.rotate().verifier
    both = signer.sign(text(2), 0, [])
    for keys in (old, [new], [*old, new]):
        assert open_evidence(both, own_word_policy(keys)).checkpoint.size == 2
    folder.retire()
    after = signer.sign(text(3), 2, proof(2, 3))
    open_evidence(after, own_word_policy([new]))
    with pytest.raises(ValueError, match="not signed by"):
        open_evidence(after, own_word_policy(old))
    with pytest.raises(ValueError, match="only one key"):
        folder.retire()


def test_a_key_that_others_may_read_is_not_used(folder, signer):
    (folder.path / "1.skey").chmod(0o640)
    with pytest.raises(RefusedError, match="others may read"):
        signer.state()


def test_keys_and_state_are_readable_by_their_owner_alone(folder, signer):
    grow(signer, 1)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in folder.path.iterdir()
        if path.name != "lock"
    }
    assert modes == {"1.skey": 0o600, "state": 0o600}


def test_two_signers_on_one_folder_are_refused(served, signer, tmp_path):
    with pytest.raises(RuntimeError, match="another signer"):
        SignerServer(signer, tmp_path, tmp_path / "second")
    grow(served, 1)


@pytest.mark.parametrize("line", [b"{}\n", b"\xff\n", b'{"ask":"sign"}\n', b"x" * 200_000, b""])
def test_nonsense_at_the_socket_is_refused_and_harms_nobody(served, tmp_path, line):
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(tmp_path / "socket"))
        with suppress(BrokenPipeError, ConnectionResetError):
            caller.sendall(line)
            caller.shutdown(socket.SHUT_WR)
            assert caller.recv(10_000).startswith(b'{"refused":"malformed"') or not line
    grow(served, 1)


def test_the_process_starts_signs_survives_a_kill_and_holds_no_database(tmp_path):
    owner = 64991 if os.geteuid() == 0 else os.geteuid()
    folder = tmp_path / "signer"
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, owner, owner)
        for parent in [tmp_path, *tmp_path.parents][:4]:
            parent.chmod(parent.stat().st_mode | 0o011)
    environment = {
        **os.environ,
        "SIGNALBOX_SIGNER_FOLDER": str(folder),
        "SIGNALBOX_SIGNER_SOCKET": str(folder / "socket"),
        "SIGNALBOX_LOG_ORIGIN": ORIGIN,
    }
    client = SocketSigner(folder / "socket")
    for size in (4, 9):
        process = subprocess.Popen(
            [sys.executable, "-m", "assets.transparency.signer"], env=environment
        )
        state = _when_up(client)
        client.sign(text(size), state.size, proof(state.size, size))
        assert Path(f"/proc/{process.pid}").stat().st_uid == owner
        mapped = Path(f"/proc/{process.pid}/maps").read_text()
        assert "libpq" not in mapped
        assert "psycopg" not in mapped
        process.kill()
        process.wait()
    assert (folder / "state").stat().st_uid == owner


def _when_up(client):
    deadline = time.monotonic() + 20
    while True:
        try:
            return client.state()
        except SignerUnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
