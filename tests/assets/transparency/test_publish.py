"""Leaves become tiles and signed checkpoints, whatever is interrupted."""

from datetime import timedelta

import psycopg
import pytest

from assets.transparency.publisher.publish import RestoredLogError, publish
from assets.transparency.publisher.tree import stored_tree
from assets.transparency.signer.errors import SignerUnavailableError
from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.signer import Signer
from signalbox.log.merkle import inclusion_proof, root_of, verify_inclusion
from signalbox.log.policy import open_evidence, own_word_policy
from sql.log import NewLeaf, append_leaves
from sql.roles import LOG, WORKER

LEVEL_1 = 256 * 256


@pytest.fixture
def signer(tmp_path, chains):
    folder = SignerFolder(tmp_path)
    folder.prepare("example.org/log")
    return Signer(folder, lambda: chains.IN_TIME)


@pytest.fixture
def log(database):
    with database.connect(LOG) as connection:
        yield connection


def hashes(connection):
    rows = connection.execute("select leaf_hash from transparency.leaf order by index")
    return [row[0] for row in rows]


def test_each_checkpoint_has_the_root_of_all_leaves_and_a_quorum(log, chains, signer):
    policy = own_word_policy(signer.state().keys)
    for count in (0, 1, 254, 1, 1, 300):
        chains.append(count)
        signed = publish(log, signer, None, chains.IN_TIME)
        evidence = open_evidence(signed.note.encode(), policy)
        assert evidence.checkpoint.root == root_of(hashes(log))
        assert evidence.checkpoint.size == chains.hours
        assert signed.has_quorum
    assert log.execute("select * from transparency.coverage").fetchone() == (
        557, 557, 557, chains.IN_TIME, None,
    )  # fmt: skip


def test_what_did_not_grow_is_signed_again_only_when_asked(log, chains, signer):
    chains.append(3)
    publish(log, signer, None, chains.IN_TIME)
    assert publish(log, signer, None, chains.IN_TIME) is None
    assert publish(log, signer, None, chains.IN_TIME, again=True).size == 3


def test_a_log_of_three_levels_proves_its_leaves_from_stored_tiles(log, database, chains, signer):
    with database.connect(WORKER) as connection:
        for _ in range(5):
            leaves = [NewLeaf("x/v1", chains.tide, {"sig": "ada/tide"})] * 13_200
            with connection.transaction():
                append_leaves(connection, leaves, chains.IN_TIME)
    signed = publish(log, signer, None, chains.IN_TIME)
    all_hashes = hashes(log)
    root = root_of(all_hashes)
    assert signed.size == 66_000 > LEVEL_1
    assert (
        open_evidence(signed.note.encode(), own_word_policy(signer.state().keys)).checkpoint.root
        == root
    )
    stored = log.execute(
        "select level, count(*)::int from transparency.tile group by level order by level"
    ).fetchall()
    assert stored == [(0, 257), (1, 1)]
    read = stored_tree(log, signed.size)
    for index in (0, 255, 256, LEVEL_1 - 1, LEVEL_1, 65_999):
        proof = inclusion_proof(index, signed.size, read)
        verify_inclusion(all_hashes[index], index, signed.size, proof, root)


class DiesAfterSigning(Signer):
    """The publisher is gone before it hears the signature."""

    def sign(self, *asked):
        super().sign(*asked)
        raise SignerUnavailableError("gone")


def test_killed_between_signature_and_commit_the_next_step_goes_on(log, chains, signer):
    chains.append(300)
    with pytest.raises(SignerUnavailableError):
        publish(log, DiesAfterSigning(signer._folder, lambda: chains.IN_TIME), None, chains.IN_TIME)
    assert log.execute("select count(*) from transparency.tile").fetchone() == (0,)
    assert signer.state().size == 300
    assert publish(log, signer, None, chains.IN_TIME).size == 300
    chains.append(1)
    assert publish(log, signer, None, chains.IN_TIME).size == 301


def test_a_log_restored_from_an_old_backup_is_not_signed(log, database, chains, signer):
    chains.append(20)
    publish(log, signer, None, chains.IN_TIME)
    with database.superuser() as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("delete from transparency.leaf where index > 10")
    with pytest.raises(RestoredLogError, match=r"11 leaves, but 20 were signed.*docs/operations"):
        publish(log, signer, None, chains.IN_TIME)


def test_a_leaf_altered_under_a_checkpoint_is_not_signed_over(log, database, chains, signer):
    chains.append(20)
    publish(log, signer, None, chains.IN_TIME)
    with database.superuser() as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update transparency.leaf set leaf_hash = sha256(body) where index = 7")
    chains.append(1)
    with pytest.raises(RuntimeError, match="inconsistent"):
        publish(log, signer, None, chains.IN_TIME)


def test_the_evidence_time_of_a_leaf_is_that_of_the_first_quorum_over_it(database, chains, cover):
    chains.append(2)
    cover(chains.IN_TIME)
    chains.append(1)
    cover(chains.IN_TIME + timedelta(hours=1))
    chains.append(1)
    with database.connect(WORKER) as connection:
        times = connection.execute(
            "select transparency.proven_at(n) from generate_series(0, 3) n"
        ).fetchall()
        assert [at for (at,) in times] == [
            chains.IN_TIME, chains.IN_TIME, chains.IN_TIME + timedelta(hours=1), None,
        ]  # fmt: skip
        row = connection.execute("select * from transparency.coverage").fetchone()
    assert row == (4, 3, 3, chains.IN_TIME + timedelta(hours=1), chains.IN_TIME)


def test_of_two_checkpoints_at_once_one_is_refused(database, chains, signer):
    chains.append(5)
    with database.connect(LOG) as one, database.connect(LOG) as other:
        publish(one, signer, None, chains.IN_TIME)
        with pytest.raises(psycopg.errors.CheckViolation):
            other.execute(
                "insert into transparency.checkpoint (origin, size, root, note, signed_at)"
                " values ('example.org/log', 4, sha256('x'), '', now())"
            )


def test_a_recorded_slot_is_live_only_if_it_is_proven_by_its_deadline(database, chains, cover):
    chains.append(1)

    def proven(at, provenance="live"):
        with database.connect(WORKER) as connection:
            return connection.execute(
                "select forecast.proven_provenance(%s, %s, 0, interval '10 minutes', %s)",
                [provenance, chains.SLOT, at],
            ).fetchone()[0]

    deadline = chains.SLOT + timedelta(minutes=10)
    assert proven(deadline) == "pending"
    assert proven(deadline + timedelta(seconds=1)) == "late"
    assert proven(deadline, "missed") == "missed"
    cover(deadline + timedelta(seconds=1))
    assert proven(deadline) == "late"


def test_proven_by_its_deadline_it_stays_live(database, chains, cover):
    chains.append(1)
    cover(chains.SLOT + timedelta(minutes=10))
    with database.connect(WORKER) as connection:
        row = connection.execute(
            "select forecast.proven_provenance('live', %s, 0, interval '10 minutes', now())",
            [chains.SLOT],
        ).fetchone()
    assert row == ("live",)
