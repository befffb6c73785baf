"""The state machine of a subscription, held by the database against whoever changes it."""

import itertools
import threading
import uuid

import psycopg
import pytest

from sql.roles import API, GIT, WORKER, conninfo

STATES = ("incomplete", "trialing", "active", "past_due", "canceled", "expired")
# As the design has it.
ALLOWED = {
    "incomplete": {"trialing", "active", "expired"},
    "trialing": {"active", "past_due", "canceled", "expired"},
    "active": {"past_due", "canceled"},
    "past_due": {"active", "canceled", "expired"},
    "canceled": set(),
    "expired": set(),
}


@pytest.fixture
def connection(database):
    with database.superuser() as connection:
        connection.execute(
            "insert into account.user_account select gen_random_uuid(), name, name || '@x.org',"
            " 'x', 'member', now() from unnest(array['ada', 'bob', 'eve']) name"
        )
        connection.execute(
            "insert into registry.signal (provider_id, name, title, description, visibility,"
            " created_at) select id, 'tide', 'Tide', '', 'public', now() from account.user_account"
            " where handle = 'ada'"
        )
        connection.execute(
            "insert into billing.price (signal_id, amount_minor, currency, trial_days, valid_from)"
            " select id, 2900, 'EUR', 14, now() from registry.signal"
        )
        yield connection


def subscription(connection, state="incomplete"):
    made = uuid.uuid4()
    connection.execute(
        "insert into billing.subscription (id, user_id, signal_id, price_id, state,"
        " payment_provider, created_at, period_start, period_end, had_trial, cancel_at_period_end)"
        " select %s, u.id, g.id, p.id, %s, 'manual', now(), now(), now() + interval '1 day', false,"
        " false from account.user_account u, registry.signal g, billing.price p"
        " where u.handle = 'bob'",
        [made, state],
    )
    return made


def test_the_superuser_moves_a_subscription_only_as_the_design_allows(connection):
    move = "update billing.subscription set state = %s where id = %s"
    for before, after in itertools.permutations(STATES, 2):
        with connection.transaction(force_rollback=True):
            made = subscription(connection, before)
            if after not in ALLOWED[before]:
                with pytest.raises(psycopg.errors.CheckViolation, match=f"{before} to {after}"):
                    connection.execute(move, [after, made])
                continue
            connection.execute(move, [after, made])
            noted = connection.execute(
                "select from_state, to_state, why from billing.subscription_event order by id desc"
            ).fetchone()
            assert noted == (before, after, "by hand")
            told = connection.execute("select kind from billing.outbox order by id desc")
            assert told.fetchone() == (f"subscription.{after}",)


def test_the_superuser_does_not_exchange_what_a_subscription_is(connection):
    subscription(connection, "active")
    for change in (
        "user_id = (select id from account.user_account where handle = 'eve')",
        "id = gen_random_uuid()",
        "payment_provider = 'stripe'",
        "created_at = created_at - interval '1 year'",
        "had_trial = true",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation)):
            connection.execute(f"update billing.subscription set {change}")


def test_a_dearer_price_is_not_put_under_a_subscription_without_consent(connection):
    subscription(connection, "active")
    connection.execute(
        "insert into billing.price (signal_id, amount_minor, currency, trial_days, valid_from)"
        " select id, 9900, 'EUR', 0, now() from registry.signal"
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="until its subscriber consents"):
        connection.execute(
            "update billing.subscription set price_id = (select max(id) from billing.price)"
        )


def test_a_subscription_is_neither_deleted_nor_truncated(connection):
    subscription(connection)
    for attack in ("delete from billing.subscription", "truncate billing.subscription cascade"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(attack)


def test_a_grace_of_four_days_is_refused(connection):
    subscription(connection, "past_due")
    change = "update billing.subscription set grace_until = period_end + interval '%s days'"
    connection.execute(change % 3)
    with pytest.raises(psycopg.errors.CheckViolation, match="grace_at_most_3_days"):
        connection.execute(change % 4)


def test_no_process_writes_a_subscription_or_a_payment_but_by_function(database, connection):
    subscription(connection, "incomplete")
    for role in (API, WORKER, GIT):
        with database.connect(role) as attacker:
            for attack in (
                "update billing.subscription set state = 'active'",
                "update billing.subscription set period_end = now() + interval '1 year'",
                "insert into billing.subscription_event default values",
                "insert into billing.payment default values",
                "insert into billing.trial_mark values (1, 'user', '', gen_random_uuid(), now())",
                "delete from billing.trial_mark",
                "insert into billing.outbox default values",
                "select billing.close(gen_random_uuid(), now(), now(), '')",
                "select billing.claim_trial(gen_random_uuid(), 1, gen_random_uuid(), '', '', null)",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    attacker.execute(attack)


def test_access_ends_at_the_instant_and_waits_for_no_job(connection):
    subscription(connection, "active")
    ask = (
        "select set_config('app.user_id', s.user_id::text, true),"
        " set_config('app.now', (s.period_end + %s * interval '1 microsecond')::text, true),"
        " billing.is_entitled(s.signal_id) from billing.subscription s"
    )
    for offset, entitled in ((-1, True), (0, False), (1, False)):
        with connection.transaction():
            connection.execute(ask, [offset])
            seen = connection.execute(
                "select billing.is_entitled(id) from registry.signal"
            ).fetchone()
        assert seen == (entitled,), offset


def test_settling_at_once_from_many_places_ends_each_subscription_once(database, connection):
    made = subscription(connection, "active")
    later = "now() + interval '30 days'"

    def settle():
        with psycopg.connect(conninfo(database.url(WORKER)), autocommit=True) as worker:
            worker.execute(f"select billing.settle(null, {later})")

    threads = [threading.Thread(target=settle) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moves = connection.execute(
        "select to_state, happened_at < known_at from billing.subscription_event"
        " where subscription_id = %s and from_state is not null order by id",
        [made],
    ).fetchall()
    assert moves == [("past_due", True), ("expired", True)]


def test_a_reader_of_the_outbox_misses_no_line_that_commits_late(database, connection):
    """The line with the lower number is written first and committed last."""
    made = subscription(connection, "incomplete")
    insert = (
        "insert into billing.outbox (at, user_id, subscription_id, kind, detail)"
        " select now(), user_id, id, %s, '{}' from billing.subscription"
    )
    read = "select xid, id, kind from billing.outbox_after(%s, %s, 100)"
    with database.superuser() as slow, database.connect(WORKER) as reader:
        slow.autocommit = False
        slow.execute(insert, ["slow"])
        connection.execute(insert, ["quick"])
        seen = reader.execute(read, [0, 0]).fetchall()
        assert [kind for *_, kind in seen] == ["subscription.incomplete"]
        slow.commit()
        rest = reader.execute(read, list(seen[-1][:2])).fetchall()
        assert [kind for *_, kind in rest] == ["slow", "quick"]
        assert reader.execute(read, list(rest[-1][:2])).fetchall() == []
    assert made


def test_a_new_line_of_the_outbox_wakes_its_readers(database, connection):
    with database.connect(WORKER) as reader:
        reader.execute("listen signalbox_billing")
        subscription(connection)
        (notice,) = reader.notifies(timeout=10, stop_after=1)
    newest = connection.execute("select max(id)::text from billing.outbox").fetchone()
    assert (notice.payload,) == newest
