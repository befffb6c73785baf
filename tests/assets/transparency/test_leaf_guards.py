"""What the database refuses of leaves, whoever writes them."""

from datetime import UTC, datetime

import psycopg
import pytest

from signalbox.leaf import canonical, leaf_hash
from sql.log import append_leaves
from sql.roles import GIT, LOG, WORKER

INSERT = (
    "insert into transparency.leaf (index, kind, signal_id, seq, body, leaf_hash, version, slot,"
    " appended_at) values (%s, %s, %s, %s, %s, %s, %s, %s, now())"
)


@pytest.fixture
def forge(database, chains):
    """Insert a third leaf of ada/tide by hand; what is given differs from what is right."""
    chains.append(2)

    def insert(role=WORKER, *, index=2, seq=2, said=None, hashed=None, **facts):
        with database.connect(role) as connection:
            prev = connection.execute(
                "select leaf_hash from transparency.leaf where index = 1"
            ).fetchone()[0]
            right = chains.due(chains.tide, 2)
            body = canonical(
                {**right.facts, "kind": right.kind, "seq": seq, "prev": prev.hex(), **(said or {})}
            )
            row = {
                "kind": right.kind, "version": "v1.0.0",
                "slot": datetime.fromtimestamp(right.facts["slot"], UTC),
            } | facts  # fmt: skip
            connection.execute(
                INSERT,
                [
                    *(index, row["kind"], chains.tide, seq, body),
                    *(hashed or leaf_hash(body), row["version"], row["slot"]),
                ],
            )

    return insert


@pytest.mark.parametrize("role", [WORKER, GIT])
def test_a_leaf_made_by_hand_that_is_right_in_all_is_accepted(forge, role):
    forge(role)


@pytest.mark.parametrize(
    "wrong",
    [
        {"index": 3},
        {"index": -1},
        {"seq": 3},
        {"said": {"prev": "00" * 32}},
        {"said": {"prev": ""}},
        {"said": {"seq": 7}},
        {"said": {"slot": 0}},
        {"said": {"ver": "v9.0.0"}},
        {"said": {"kind": "missed/v1"}},
        {"said": {"sig": '","seq":2,"prev":"'}, "hashed": b"0" * 32},
        {"hashed": b"0" * 32},
        {"version": "v2.0.0"},
        {"slot": datetime(2026, 1, 1, tzinfo=UTC)},
        {"version": None, "slot": None},
        {"kind": "version/v1"},
    ],
)
def test_a_leaf_out_of_place_or_unlike_its_row_is_refused(forge, wrong):
    with pytest.raises(psycopg.errors.CheckViolation):
        forge(**wrong)


def test_a_leaf_out_of_place_is_refused_to_the_superuser(database, chains):
    with database.superuser() as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(INSERT, [9, "x/v1", chains.tide, 0, b"{}", b"0" * 32, None, None])


def test_a_second_leaf_for_a_due_slot_is_refused(database, chains):
    chains.append(2)
    with (
        database.connect(WORKER) as connection,
        pytest.raises(psycopg.errors.UniqueViolation, match="leaf_due_once"),
    ):
        append_leaves(connection, [chains.due(chains.tide, 1)], datetime.now(UTC))


def test_the_publisher_writes_no_leaf_and_reads_no_forecast(database):
    with database.connect(LOG) as connection:
        for attack in (
            "insert into transparency.leaf values (0, 'x', 1, 0, '', '', now())",
            "select * from forecast.opening",
            "select * from forecast.slot_record",
            "select * from account.user_account",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attack)


@pytest.mark.parametrize("role", [WORKER, GIT])
def test_nobody_else_writes_a_tile_or_checkpoint(database, role):
    with database.connect(role) as connection:
        for attack in (
            "insert into transparency.tile values (0, 0, '', '')",
            "insert into transparency.checkpoint (origin, size) values ('x', 0)",
            "insert into transparency.quorum values (1, 0, now(), 'x')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attack)


def test_a_checkpoint_that_shrinks_has_two_roots_or_covers_nothing_is_refused(database, chains):
    chains.append(3)
    insert = (
        "insert into transparency.checkpoint (origin, size, root, note, signed_at)"
        " values ('example.org/log', %s, sha256(%s), '', now())"
    )
    with database.connect(LOG) as connection:
        connection.execute(insert, [3, b"root"])
        connection.execute(insert, [3, b"root"])
        for size, root in ((2, b"root"), (3, b"other"), (4, b"root")):
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(insert, [size, root])
