"""Signer, publisher and API as processes, with two real witnesses and a monitor beside them."""

import signal
import threading
import time
from contextlib import ExitStack, contextmanager

from signalbox.log.checkpoint import parse_checkpoint
from signalbox.log.merkle import root_of
from signalbox.log.monitor import Monitor
from signalbox.log.note import parse_note
from signalbox.log.policy import Group, Party, Policy, open_evidence
from signalbox.log.serving import fetch_entries, make_server
from signalbox.log.witness import Witness, init_folder
from sql.roles import API, LOG
from tests.assets.transparency.processes import PUBLISHER, SIGNER
from tests.waiting import until


@contextmanager
def served(cosigner):
    """A witness or monitor at an address of its own."""
    with make_server(cosigner, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            cosigner.close()


def test_a_checkpoint_has_its_quorum_when_two_witnesses_and_a_monitor_have_signed(
    running, chains, tmp_path
):
    keys = running.signer().keys
    running.start("api", API)
    with ExitStack() as stack:
        logs = (Party(keys[0], f"http://127.0.0.1:{running.api_port}/log"),)
        parties = {}
        for name in ("north", "south", "watch"):
            init_folder(tmp_path / name, f"{name}.example/w", Policy(logs))
            cosigner = (
                Monitor(tmp_path / name, fetch_entries)
                if name == "watch"
                else Witness(tmp_path / name)
            )
            key = cosigner.key.verifier
            parties[name] = Party(key, stack.enter_context(served(cosigner)))
        groups = {
            "witnesses": Group(2, ("north", "south")),
            "monitors": Group(1, ("watch",)),
            "all": Group(2, ("witnesses", "monitors")),
        }
        policy = Policy(logs, parties, groups, "all")
        (tmp_path / "policy").write_text(policy.text())
        running.environment["SIGNALBOX_LOG_POLICY"] = str(tmp_path / "policy")
        chains.publish()
        chains.append(5)
        running.start(PUBLISHER, LOG)
        until(running.covered)
        ((note, reached_at),) = running.ask(
            "select note, reached_at from transparency.signed_note where reached_at is not null"
            " order by id desc limit 1"
        )
        evidence = open_evidence(note, policy)
        assert set(evidence.times) == {"north", "south", "watch"}
        assert evidence.reached_at == reached_at.timestamp()
        # A second forecast of a slot, past every guard: the monitor sees it and signs no more.
        with running.database.superuser() as connection:
            connection.execute("drop index transparency.leaf_due_once")
        chains.hours -= 1
        chains.append(1)
        until(lambda: running.ask("select from transparency.checkpoint where size = 7"))
        until(
            lambda: running.ask(
                "select from transparency.cosignature s join transparency.checkpoint c"
                " on c.id = s.checkpoint_id where c.size = 7 and s.key_name like 'south%'"
            )
        )
        time.sleep(1)
        assert not running.covered()
        running.end(PUBLISHER, signal.SIGTERM)
        running.end("api", signal.SIGTERM)


def test_killed_again_and_again_with_its_signer_and_connections_it_leaves_no_inconsistency(
    running, chains
):
    running.start(PUBLISHER, LOG)
    for attempt in range(8):
        chains.append(90)
        time.sleep(0.15 * (attempt % 4))
        victim = (PUBLISHER, SIGNER, "connections")[attempt % 3]
        if victim == "connections":
            running.ask(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where usename = 'signalbox_log'"
            )
        else:
            running.end(victim)
            running.start(victim, LOG if victim == PUBLISHER else None)
    until(running.covered)
    hashes = [
        row[0] for row in running.ask("select leaf_hash from transparency.leaf order by index")
    ]
    assert len(hashes) == 720
    for (note,) in running.ask("select note from transparency.checkpoint order by id"):
        checkpoint = parse_checkpoint(parse_note(note).text)
        assert checkpoint.root == root_of(hashes[: checkpoint.size])
    assert running.ask("select count(*) from transparency.tile") == [(2,)]


def test_a_second_publisher_waits_until_the_first_has_ended(running, chains):
    running.start(PUBLISHER, LOG)
    chains.append(1)
    until(running.covered)
    first = running.processes.pop(PUBLISHER)
    running.start(PUBLISHER, LOG)
    time.sleep(1)
    first.kill()
    first.wait()
    chains.append(1)
    until(running.covered)
