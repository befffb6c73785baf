"""Data-source keys in envelopes: what opens them, and what must not."""

import base64
import uuid
from datetime import UTC, datetime

import psycopg
import pytest

from sql.data_source_keys import (
    UnknownDataSourceKeyError,
    belongs_to,
    count_by_key,
    rewrap_all,
    use_key,
)
from sql.envelope import (
    AlteredError,
    KeyFileError,
    KeyRing,
    LostKeyError,
    SealingKey,
    public_file,
)
from sql.roles import API, GIT, LOG, WORKER

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
SECRET = "PKABCDEFGHIJKLMNOP"


@pytest.fixture
def ring(tmp_path):
    return KeyRing.make(tmp_path / "data.keys")


@pytest.fixture
def people(database):
    found = {"ada": uuid.uuid4(), "eve": uuid.uuid4()}
    with database.superuser() as connection:
        for handle, id_ in found.items():
            connection.execute(
                "insert into account.user_account values (%s, %s, %s, 'x', 'member', now())",
                [id_, handle, f"{handle}@example.org"],
            )
    return found


@pytest.fixture
def store(database, ring, people):
    """Store a key as the API does: with its role, and the public half alone."""

    def stores(handle="ada", secret=SECRET):
        sealing_key = SealingKey.read(public_file(ring.path))
        key_id, user_id = uuid.uuid4(), people[handle]
        made = sealing_key.seal(secret.encode(), belongs_to(key_id, user_id, "alpaca"))
        with database.connect(API) as connection, connection.transaction():
            connection.execute("select set_config('app.user_id', %s, true)", [str(user_id)])
            connection.execute(
                "insert into account.data_source_key (id, user_id, name, source, shown, created_at,"
                " key_id, wrapped_key, sealed) values (%s, %s, 'n', 'alpaca', 's', %s, %s, %s, %s)",
                [key_id, user_id, NOW, made.key_id, made.wrapped_key, made.sealed],
            )
        return key_id

    return stores


def use(database, ring, key_id):
    with database.connect(WORKER) as connection:
        return use_key(connection, ring, key_id, "bars of AAPL", NOW)


def recorded(database):
    with database.superuser() as connection:
        return connection.execute(
            "select action, subject, owner_id, detail ->> 'why' from audit.event order by id"
        ).fetchall()


def test_a_key_opens_for_the_worker_and_each_use_is_on_record_for_its_owner(
    database, ring, store, people
):
    key_id = store()
    assert use(database, ring, key_id) == SECRET
    assert recorded(database) == [
        ("data_source_key.use", str(key_id), people["ada"], "bars of AAPL")
    ]
    with database.superuser() as connection:
        row = connection.execute("select * from account.data_source_key").fetchone()
    assert SECRET not in str(row)
    assert SECRET.encode() not in b"".join(cell for cell in row if isinstance(cell, bytes))


SWAPS = {
    "an altered byte of the secret": "sealed ="
    " set_byte(k.sealed, 15, 255 - get_byte(k.sealed, 15))",
    "an altered nonce": "sealed = set_byte(k.sealed, 0, 255 - get_byte(k.sealed, 0))",
    "an altered byte of the data key": "wrapped_key ="
    " set_byte(k.wrapped_key, 40, 255 - get_byte(k.wrapped_key, 40))",
    "a truncated data key": "wrapped_key = substr(k.wrapped_key, 1, 8)",
    "a truncated secret": "sealed = substr(k.sealed, 1, 4)",
    "a swapped owner": "user_id = %(eve)s",
    "another source": "source = 'yahoo'",
    "a row moved under another id": "id = gen_random_uuid()",
    "the envelope of another row": "sealed = o.sealed, wrapped_key = o.wrapped_key",
    "the secret of another row under its own data key": "sealed = o.sealed",
}


@pytest.mark.parametrize("swap", SWAPS)
def test_what_was_exchanged_in_the_database_does_not_open_and_the_attempt_is_on_record(
    database, ring, store, people, swap
):
    key_id, other = store(), store("eve")
    with database.superuser() as connection:
        row = connection.execute(
            f"update account.data_source_key k set {SWAPS[swap]} from account.data_source_key o"
            " where k.id = %(id)s and o.id = %(other)s returning k.id",
            {"id": key_id, "other": other, "eve": people["eve"]},
        ).fetchone()
    with pytest.raises(AlteredError, match=f"{row[0]}: it does not open.*restore the row"):
        use(database, ring, row[0])
    assert [act[0] for act in recorded(database)] == ["data_source_key.failed"]


def test_after_a_rotation_old_and_new_keys_open_and_the_old_pair_can_be_retired(
    database, ring, store
):
    first = store()
    old = ring.ids[0]
    ring.rotate()
    second = store()
    assert use(database, KeyRing.read(ring.path), first) == SECRET
    with database.connect(WORKER) as connection:
        assert count_by_key(connection) == {old: 1, ring.ids[0]: 1}
        assert rewrap_all(connection, ring, NOW) == 1
        assert count_by_key(connection) == {ring.ids[0]: 2}
        assert rewrap_all(connection, ring, NOW) == 0
    ring.retire(old)
    reread = KeyRing.read(ring.path)
    assert reread.ids == (ring.ids[0],)
    assert use(database, reread, first) == use(database, reread, second) == SECRET


def test_a_key_pair_retired_too_early_is_named_with_what_to_do(database, ring, store):
    key_id, old = store(), ring.ids[0]
    ring.rotate()
    ring.retire(old)
    with pytest.raises(LostKeyError, match=f"{key_id}: it is sealed to key {old}, which .* does"):
        use(database, ring, key_id)
    with (
        database.connect(WORKER) as connection,
        pytest.raises(LostKeyError, match=f"data-source key {key_id}"),
    ):
        rewrap_all(connection, ring, NOW)


def test_the_pair_that_seals_is_not_retired(ring):
    with pytest.raises(KeyFileError, match="none of the older keys"):
        ring.retire(ring.ids[0])


@pytest.mark.parametrize("content", [None, "", "nonsense", "dk_1 AAAA", "dk_1 !!!!", "a b c"])
def test_a_file_that_holds_no_key_pairs_is_named_and_said_what_it_should_hold(tmp_path, content):
    path = tmp_path / "keys"
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)
    with pytest.raises(KeyFileError, match=str(path)):
        KeyRing.read(path)


def test_a_file_of_key_pairs_that_others_can_read_is_refused(ring):
    ring.path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        KeyRing.read(ring.path)


def test_the_public_half_opens_nothing(ring):
    public = public_file(ring.path).read_text().split()[1]
    private = {line.split()[1] for line in ring.path.read_text().splitlines()}
    assert public not in private
    assert len(base64.b64decode(public)) == 32
    assert not hasattr(SealingKey.read(public_file(ring.path)), "open")


def test_a_deleted_key_is_erased_and_asked_for_in_vain(database, ring, store):
    key_id = store()
    with database.superuser() as connection:
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("update account.data_source_key set revoked_at = now()")
        connection.execute(
            "update account.data_source_key set revoked_at = now(), key_id = null,"
            " wrapped_key = null, sealed = null"
        )
    with pytest.raises(UnknownDataSourceKeyError, match="deleted"):
        use(database, ring, key_id)


@pytest.mark.parametrize("role", [API, GIT, LOG])
def test_reading_what_is_sealed_is_refused_to_every_role_but_the_workers(database, store, role):
    store()
    with database.connect(role) as connection:
        for column in ("sealed", "wrapped_key"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select {column} from account.data_source_key")


def test_the_worker_cannot_store_give_away_or_erase_a_key(database, store):
    store()
    with database.connect(WORKER) as connection:
        for attack in (
            "update account.data_source_key set user_id = gen_random_uuid()",
            "update account.data_source_key set sealed = null",
            "delete from account.data_source_key",
            "insert into account.data_source_key (id) values (gen_random_uuid())",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attack)
