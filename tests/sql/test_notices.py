"""Whatever answers about a signal or a person are made of tells of itself, in short notices."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from sql.roles import DATABASE
from tests.conftest import copied


@pytest.fixture(scope="module")
def database(postgres):
    with copied(postgres, "test_notices", DATABASE) as copy:
        yield copy


@pytest.fixture(scope="module")
def superuser(database) -> Iterator[psycopg.Connection]:
    with database.superuser() as connection:
        connection.execute(
            "insert into account.user_account select gen_random_uuid(), 'p' || n,"
            " 'p' || n || '@e.org', 'x', 'member', now() from generate_series(10, 99) n"
        )
        connection.execute(
            "insert into registry.signal (provider_id, name, title, description, visibility,"
            " created_at) select id, 'tide', 'Tide', '', 'public', now() from account.user_account"
        )
        connection.execute(
            "insert into registry.version (signal_id, version, state, reserved_at, published_at,"
            " pushed_by, commit_sha, tree_digest, lock_digest, image_digest)"
            " select s.id, 'v1.0.0', 'live', now(), now(), s.provider_id, 'c', 't', 'l', 'i'"
            " from registry.signal s"
        )
        connection.execute(
            "insert into billing.price (signal_id, amount_minor, currency, trial_days, valid_from)"
            " select id, 100, 'EUR', 0, now() from registry.signal"
        )
        yield connection


@pytest.fixture(scope="module")
def heard(database, superuser):
    """The set of (channel, payload) that a statement tells of."""
    channels = ("signalbox_signal", "signalbox_entitlement", "signalbox_credential")
    with database.superuser() as listening:
        for channel in channels:
            listening.execute(f"listen {channel}")

        def of(*statement):
            superuser.execute(*statement)
            listening.execute("select 1")
            return {
                (notice.channel.removeprefix("signalbox_"), notice.payload)
                for notice in listening.notifies(timeout=0)
            }

        yield of


def one(superuser, query):
    return superuser.execute(query).fetchone()[0]


def records(count):
    return (
        "insert into forecast.slot_record (version_id, slot, provenance, cutoff, max_batch,"
        " image_digest, engine, path, recorded_at, wall_ms, log)"
        f" select id, (select coalesce(max(slot), '2026-01-01 00:00Z') from forecast.slot_record)"
        " + interval '1 hour', 'replayed', now(), 1, 'i', 'embedded', 'replay', now(), 1, ''"
        f" from registry.version order by id limit {count}"
    )


def test_records_name_their_signals_and_beyond_fifty_everything(superuser, heard):
    ids = [
        id_ for (id_,) in superuser.execute("select signal_id from registry.version order by id")
    ]
    assert heard(records(1)) == {("signal", str(ids[0]))}
    assert heard(records(50)) == {("signal", str(id_)) for id_ in ids[:50]}
    assert heard(records(51)) == {("signal", "")}
    assert heard(records(0)) == set()


def test_rows_that_follow_a_record_name_its_signal(superuser, heard):
    signal = str(one(superuser, "select min(signal_id) from registry.version"))
    heard("insert into market.instrument (symbol, calendar, is_sample) values ('X', 'FX', true)")
    heard(records(1))
    newest = one(superuser, "select max(id) from forecast.slot_record")
    rows = {
        "forecast.forecast": "i.id, 1, now(), 0, null, null from market.instrument i",
        "forecast.opening": "'', ''",
        "score.score": "i.id, 1, 1, now(), 0, 0, 0, 0, true from market.instrument i",
    }
    for table, values in rows.items():
        told = heard(f"insert into {table} select {newest}, {values}")
        assert told == {("signal", signal)}, table


def test_derived_performance_names_its_signal_when_it_is_made_replaced_and_deleted(
    superuser, heard
):
    signal = str(one(superuser, "select min(id) from registry.signal"))
    made = (
        "insert into score.performance (signal_id, period, as_of, computed_at, live_slots,"
        f" measures) values ({signal}, '30d', now(), now(), 0, '{{}}')"
    )
    replaced = "update score.performance set live_slots = 1"
    for statement in (made, replaced, "delete from score.performance"):
        assert heard(statement) == {("signal", signal)}, statement


def test_what_may_change_anything_names_nothing(heard):
    everything = {("signal", "")}
    assert heard("update market.instrument set is_sample = false") == everything
    everybody = ("entitlement", "")
    assert everybody in heard("update registry.signal set visibility = 'private' where name = 'x'")
    assert everybody in heard(
        "update account.user_account set handle = 'other' where handle = 'p10'"
    )
    assert everybody not in heard("update account.user_account set password_hash = 'y'")


def test_subscriptions_and_sessions_name_their_person(superuser, heard):
    person = one(superuser, "select id from account.user_account where handle = 'p11'")
    subscription = uuid.uuid4()
    opened = heard(
        "insert into billing.subscription (id, user_id, signal_id, price_id, state,"
        " payment_provider, created_at, period_start, period_end, had_trial,"
        " cancel_at_period_end) select %s, %s, p.signal_id, p.id, 'active', 'manual', now(), now(),"
        " now() + interval '1 day', false, false from billing.price p order by p.id limit 1",
        [subscription, person],
    )
    assert opened == {("entitlement", str(person))}
    assert heard("update billing.subscription set state = 'canceled'") == opened
    heard(
        "insert into account.session values (gen_random_uuid(), %s, now(), now(), now(), null, '',"
        " '', false)",
        [person],
    )
    assert heard("update account.session set last_used_at = now()") == set()
    ended = {("credential", str(person))}
    assert heard("update account.session set ended_at = now()") == ended
    assert (
        heard("update account.user_account set deleted_at = now() where id = %s", [person]) == ended
    )
