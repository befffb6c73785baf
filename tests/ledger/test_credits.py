"""Hours that were paid for and not delivered."""

from datetime import UTC, datetime, timedelta

import pytest

from assets.usage.credits import credit_missed_hours

JANUARY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST = datetime(2026, 1, 5, 10, tzinfo=UTC)
ENDS = JANUARY + timedelta(days=31)
HOURS = 744


@pytest.fixture
def version(books, ada, tide):
    return publish(books, ada, tide, "v1.0.0")


def publish(books, provider, signal, version):
    ((id_,),) = books.rows(
        "insert into registry.version (signal_id, version, state, reserved_at, published_at,"
        " pushed_by, commit_sha, tree_digest, lock_digest, image_digest)"
        " values (%s, %s, 'live', %s, %s, %s, 'c', 't', 'l', 'i') returning id",
        *(signal, version, JANUARY, JANUARY, provider),
    )
    return id_


def answer(books, version, hours, provenance="live"):
    """Records of a version at these hours of the period, counted from its first full one."""
    books.superuser.execute(
        "insert into forecast.slot_record (version_id, slot, provenance, reason, cutoff, max_batch,"
        " image_digest, engine, path, recorded_at, wall_ms, log)"
        " select %s, slot, %s, case when %s = 'missed' then 'timeout' end, slot, 1, 'i',"
        " 'embedded', 'cold', slot, 1, '' from unnest(%s::timestamptz[]) slot",
        [version, provenance, provenance, [FIRST + hour * HOUR for hour in hours]],
    )


def given(books, now=ENDS + 2 * HOUR):
    return [
        (one.hours, one.missed, one.amount_minor) for one in credit_missed_hours(books.worker, now)
    ]


def test_missed_late_and_absent_hours_are_credited_once_and_rounded_up(
    books, ada, bob, subscription, version
):
    books.pay(subscription)
    answer(books, version, range(HOURS - 3))
    answer(books, version, [HOURS - 3], "missed")
    answer(books, version, [HOURS - 2], "late")
    assert given(books) == [(HOURS, 3, 12)]  # 2900 x 3 / 744 = 11.7
    assert given(books) == []
    assert given(books, ENDS + timedelta(days=10)) == []
    assert books.balance("credits", bob) == -12
    assert books.balance("provider_payable", ada) == -2320 + 12
    assert books.rows("select reference, why from ledger.entry where kind = 'credit'") == [
        ("missed-hours:2026-000001", "3 of 744 hours missed")
    ]


def test_an_hour_that_any_version_answered_live_is_not_missed(
    books, ada, tide, subscription, version
):
    books.pay(subscription)
    answer(books, version, range(0, HOURS, 2))
    answer(books, version, range(1, HOURS, 2), "missed")
    answer(books, publish(books, ada, tide, "v1.1.0"), range(1, HOURS, 2))
    assert given(books) == []


def test_an_answer_from_a_replay_or_another_signal_is_no_delivery(
    books, ada, subscription, version
):
    books.pay(subscription)
    answer(books, version, range(HOURS - 2))
    answer(books, version, [HOURS - 2], "replayed")
    other = publish(books, ada, books.signal(ada, "flood"), "v1.0.0")
    answer(books, other, range(HOURS))
    assert given(books) == [(HOURS, 2, 8)]


def test_hours_just_outside_the_paid_period_count_for_nothing(books, subscription, version):
    books.pay(subscription)
    answer(books, version, range(-5, HOURS - 1))
    answer(books, version, range(HOURS, HOURS + 5))
    assert given(books) == [(HOURS, 1, 4)]


def test_a_period_is_credited_when_it_ended_an_hour_ago_and_not_before(books, subscription):
    books.pay(subscription)
    assert given(books, ENDS + timedelta(minutes=59)) == []
    assert given(books, ENDS + HOUR) == [(HOURS, HOURS, 2900)]


def test_what_was_refunded_is_not_credited_again(books, subscription, version):
    number = books.pay(subscription)
    answer(books, version, range(HOURS // 2))
    books.call("refund", number, "back", 1450, ENDS, ENDS)
    assert given(books) == [(HOURS, HOURS // 2, 725)]
    wholly = books.pay(subscription, "b")
    books.call("refund", wholly, "back-b", 2900, ENDS, ENDS)
    assert given(books) == []
