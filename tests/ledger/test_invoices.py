"""What is paid, what goes back, and what a subscriber gets for missed hours."""

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import psycopg
import pytest

from assets.usage.trial_balance import trial_balance
from sql.roles import WORKER

JANUARY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
LATER = JANUARY + timedelta(days=400)


def is_whole(books):
    return trial_balance(books.worker, LATER).faults == []


def test_a_payment_is_cash_less_the_payment_fee_the_providers_share_and_the_platforms_fee(
    books, ada, subscription
):
    number = books.pay(subscription, amount=2999, fee=55)
    assert number == "2026-000001"
    assert books.balance("cash:manual") == 2944
    assert books.balance("payment_fee") == 55
    assert books.balance("platform_fee") == -599  # 20 % of 29.99, rounded down
    assert books.balance("provider_payable", ada) == -2400
    lines = books.rows("select description, amount_minor from ledger.invoice_line")
    assert lines == [("Forecasts of ada/tide, 2026-01-05 09:30 to 2026-02-05 09:30 UTC", 2999)]
    assert is_whole(books)


def test_400_postings_of_one_invoice_at_once_make_one_invoice_in_balance(
    database, books, ada, subscription
):
    people = 100
    barrier = Barrier(people)

    def person(_):
        with database.connect(WORKER) as connection:
            barrier.wait()
            return {books.pay(subscription, "evt-1", by=connection) for _ in range(4)}

    with ThreadPoolExecutor(people) as pool:
        numbers = set().union(*pool.map(person, range(people)))
    assert numbers == {"2026-000001"}
    assert books.rows("select count(*) from ledger.entry") == [(1,)]
    assert books.balance("provider_payable", ada) == -2320
    assert is_whole(books)


def test_invoice_numbers_are_gapless_under_50_parallel_transactions_that_end_at_random(
    database, books, subscription
):
    people = 50
    barrier = Barrier(people)

    def person(seed):
        chance = random.Random(seed)  # noqa: S311 - an order
        kept = []
        with database.connect(WORKER) as connection:
            barrier.wait()
            for attempt in range(3):
                gives_up = chance.random() < 0.5
                with connection.transaction(force_rollback=gives_up):
                    number = books.pay(subscription, f"{seed}-{attempt}", by=connection)
                kept += [] if gives_up else [number]
        return kept

    with ThreadPoolExecutor(people) as pool:
        kept = sorted(number for own in pool.map(person, range(people)) for number in own)
    assert 0 < len(kept) < 150
    assert kept == [f"2026-{index:06}" for index in range(1, len(kept) + 1)]
    assert books.rows("select last from ledger.invoice_counter") == [(len(kept),)]
    assert is_whole(books)


def test_numbers_begin_anew_with_the_year_of_issue_in_utc(books, subscription):
    eve = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert books.pay(subscription, "a", at=eve) == "2026-000001"
    late = eve + timedelta(minutes=2)
    assert books.pay(subscription, "b", at=eve, known=late) == "2027-000001"
    assert books.pay(subscription, "c", at=late) == "2027-000002"
    assert is_whole(books)


@pytest.mark.parametrize(
    "counter",
    [
        "update ledger.invoice_counter set last = last + 2",
        "update ledger.invoice_counter set last = 0",
        "update ledger.invoice_counter set year = 2025",
        "delete from ledger.invoice_counter",
        "insert into ledger.invoice_counter values (2030, 7)",
        "truncate ledger.invoice_counter",
    ],
)
def test_making_a_gap_in_the_numbers_is_refused_to_the_superuser(books, subscription, counter):
    books.pay(subscription)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        books.superuser.execute(counter)


def test_the_share_that_was_agreed_when_it_was_paid_holds_for_what_goes_back_later(
    books, ada, subscription
):
    number = books.pay(subscription, "a")
    books.superuser.execute(
        "insert into ledger.rate (basis_points, payout_minimum_minor, valid_from, known_at)"
        " values (5000, 1000, %(at)s, %(at)s)",
        {"at": JANUARY + timedelta(days=1)},
    )
    books.pay(subscription, "b", at=JANUARY + timedelta(days=31))
    assert books.balance("provider_payable", ada) == -2320 - 1450
    books.call("refund", number, "back", 2900, LATER, LATER)
    assert books.balance("provider_payable", ada) == -1450
    assert books.balance("refunds") == 580
    assert is_whole(books)


def test_a_backdated_rate_is_refused_to_the_superuser(books):
    with pytest.raises(psycopg.errors.CheckViolation, match="not_backdated"):
        books.superuser.execute(
            "insert into ledger.rate (basis_points, payout_minimum_minor, valid_from, known_at)"
            " values (9000, 1, '2026-01-01', '2026-02-01')"
        )


def test_no_more_goes_back_than_was_paid_whether_as_refund_or_chargeback(books, ada, subscription):
    number = books.pay(subscription)
    books.call("refund", number, "back-1", 1001, JANUARY, JANUARY)
    books.call("chargeback", number, "dispute-1", 1899, 1500, JANUARY, JANUARY)
    for function, values in (("refund", (1,)), ("chargeback", (1, 0)), ("refund", (0,))):
        with pytest.raises(psycopg.errors.CheckViolation):
            books.call(function, number, "more", *values, JANUARY, JANUARY)
    assert books.balance("provider_payable", ada) == 0
    assert books.balance("refunds") + books.balance("chargebacks") == 580
    assert books.balance("payment_fee") == 1500
    assert books.balance("cash:manual") == -1500
    assert is_whole(books)


def test_a_refund_told_twice_has_one_effect_and_told_otherwise_is_refused(books, subscription):
    number = books.pay(subscription)
    first = books.call("refund", number, "back-1", 1000, JANUARY, JANUARY)
    assert books.call("refund", number, "back-1", 1000, LATER, LATER) == first
    assert books.balance("cash:manual") == 1900
    with pytest.raises(psycopg.errors.UniqueViolation):
        books.call("refund", number, "back-1", 900, JANUARY, JANUARY)


def test_twenty_refunds_of_one_invoice_at_once_give_back_no_more_than_was_paid(
    database, books, subscription
):
    number = books.pay(subscription)
    barrier = Barrier(20)

    def person(index):
        with database.connect(WORKER) as connection:
            barrier.wait()
            try:
                connection.execute(
                    "select ledger.refund(%s, %s, 500, now(), now())", [number, f"back-{index}"]
                )
            except psycopg.errors.CheckViolation:
                return 0
            return 1

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(person, range(20))) == 5
    assert books.balance("cash:manual") == 400
    assert is_whole(books)


def test_credit_is_borne_by_the_provider_and_pays_the_subscribers_next_invoice(
    books, ada, bob, subscription
):
    eve = books.person("eve")
    of_eve = books.subscription(bob, books.signal(eve, "flood", price=1000))
    books.pay(subscription, "a")
    books.call("credit", subscription, "missed-1", 300, "3 hours", JANUARY, JANUARY)
    assert books.balance("provider_payable", ada) == -2320 + 300
    assert books.call("credit_balance", of_eve) == 300
    assert books.call("apply_credit", of_eve, "b", 1000, JANUARY, JANUARY) == 300
    assert books.call("apply_credit", of_eve, "b", 1000, JANUARY, JANUARY) == 300
    assert books.call("credit_balance", of_eve) == 0
    number = books.pay(of_eve, "b", amount=1000)
    assert books.balance("cash:manual") == 2900 + 700
    assert books.balance("provider_payable", eve) == -800
    assert books.balance("receivable", bob) == 0
    assert books.balance("credits", bob) == 0
    lines = books.rows(
        "select description, amount_minor from ledger.invoice_line where invoice_number = %s"
        " and position = 2",
        number,
    )
    assert lines == [("Credit for missed hours", -300)]
    assert is_whole(books)


def test_credit_is_never_paid_out_by_a_refund(books, subscription):
    books.call("credit", subscription, "missed-1", 5000, "all", JANUARY, JANUARY)
    assert books.call("apply_credit", subscription, "a", 2900, JANUARY, JANUARY) == 2900
    number = books.pay(subscription, "a")
    with pytest.raises(psycopg.errors.CheckViolation):
        books.call("refund", number, "back", 1, JANUARY, JANUARY)
    assert books.call("credit_balance", subscription) == 2100
    assert books.call("apply_credit", subscription, "a", 2900, JANUARY, JANUARY) == 2900
    assert books.balance("cash:manual") == 0
    assert is_whole(books)


def test_credit_that_was_set_against_one_invoice_is_not_another_subscribers(
    books, tide, subscription
):
    books.call("credit", subscription, "missed", 300, "", JANUARY, JANUARY)
    assert books.call("apply_credit", subscription, "a", 2900, JANUARY, JANUARY) == 300
    of_eve = books.subscription(books.person("eve"), tide)
    assert books.call("apply_credit", of_eve, "a", 2900, JANUARY, JANUARY) == 0
    books.pay(of_eve, "a")
    assert books.rows("select amount_minor, credit_minor from ledger.invoice") == [(2900, 0)]
    books.pay(books.subscription(books.person("joe"), tide), "b", currency="USD")
    assert books.balance("cash:manual") == 5800
    assert is_whole(books)


def test_ten_invoices_at_once_use_a_credit_once(database, books, bob, ada):
    signals = [books.signal(ada, f"s{index}") for index in range(10)]
    subscriptions = [books.subscription(bob, signal) for signal in signals]
    books.call("credit", subscriptions[0], "missed", 1000, "", JANUARY, JANUARY)
    barrier = Barrier(10)

    def person(subscription):
        with database.connect(WORKER) as connection:
            barrier.wait()
            return connection.execute(
                "select ledger.apply_credit(%s, %s, 700, now(), now())",
                [subscription, str(subscription)],
            ).fetchone()[0]

    with ThreadPoolExecutor(10) as pool:
        used = sorted(pool.map(person, subscriptions))
    assert used == [0] * 8 + [300, 700]


def test_a_free_period_has_an_invoice_and_moves_nothing(books, ada):
    free = books.subscription(books.person("eve"), books.signal(ada, "free", price=0))
    assert books.pay(free, amount=0) == "2026-000001"
    assert books.rows("select count(*) from ledger.line") == [(0,)]
    assert is_whole(books)


@pytest.mark.parametrize(
    "values",
    [
        {"amount": -1},
        {"fee": -1},
        {"amount": 10**18},
        {"currency": "euro"},
        {"reference": ""},
        {"reference": "x" * 301},
    ],
    ids=str,
)
def test_an_impossible_payment_is_refused_and_uses_no_number(books, subscription, values):
    with pytest.raises(psycopg.Error):
        books.pay(subscription, **values)
    assert books.pay(subscription) == "2026-000001"


def test_a_payment_of_an_unknown_subscription_or_payment_provider_is_refused(books, subscription):
    with pytest.raises(psycopg.errors.NoDataFound):
        books.pay(uuid.uuid4())
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        books.worker.execute(
            "select ledger.invoice_paid(%s, 'r', now(), now() + interval '1 day', 5, 'EUR', 0,"
            " 'barter', now(), now())",
            [subscription],
        )
    assert books.rows("select count(*) from ledger.entry") == [(0,)]
