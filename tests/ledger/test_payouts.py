"""A provider's months: settled once, carried over, and what ABUSE 42 tries."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import psycopg
import pytest

from assets.usage.trial_balance import trial_balance
from sql.roles import API, WORKER

JANUARY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 3, tzinfo=UTC)
MARCH = datetime(2026, 3, 3, tzinfo=UTC)
APRIL = datetime(2026, 4, 3, tzinfo=UTC)


def is_whole(books):
    return trial_balance(books.worker, APRIL).faults == []


def flags(books):
    return books.worker.execute(
        "select flag, amount_minor from ledger.flagged order by flag"
    ).fetchall()


def test_a_month_is_paid_once_however_often_and_by_how_many_it_is_settled(
    database, books, ada, subscription
):
    books.pay(subscription)
    barrier = Barrier(16)

    def operator(_):
        with database.connect(WORKER) as connection:
            barrier.wait()
            return connection.execute(
                "select amount_minor, balance_minor, carried from ledger.payouts(%s, %s, %s)",
                ["2026-01-01", FEBRUARY, FEBRUARY],
            ).fetchall()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(operator, range(16)))
    assert answers == [[(2320, 2320, None)]] * 16
    assert books.balance("cash:bank") == -2320
    assert books.balance("provider_payable", ada) == 0
    assert is_whole(books)


def test_a_second_payout_of_a_month_is_refused_to_the_superuser(books, ada, subscription):
    books.pay(subscription)
    books.settle(ada, "2026-01", FEBRUARY)
    with pytest.raises(psycopg.errors.UniqueViolation):
        books.superuser.execute(
            "with made as (insert into ledger.entry (kind, reference, happened_at, known_at)"
            " values ('payout', 'again', now(), now()) returning id)"
            " insert into ledger.payout (entry_id, provider_id, month, currency, balance_minor,"
            " amount_minor, carried, settled_at) select made.id, provider_id, month, currency,"
            " balance_minor, amount_minor, carried, now() from ledger.payout, made"
        )


def test_a_refund_after_the_payout_is_carried_to_the_next_and_flagged_meanwhile(
    books, ada, bob, subscription
):
    number = books.pay(subscription)
    assert books.settle(ada, "2026-01", FEBRUARY) == [(2320, 2320, None)]
    books.call("refund", number, "back", 2900, FEBRUARY, FEBRUARY)
    assert books.balance("provider_payable", ada) == 2320
    assert flags(books) == [("negative_balance", -2320)]
    assert books.settle(ada, "2026-02", MARCH) == [(0, -2320, "negative")]
    books.pay(subscription, "b", at=MARCH, amount=5000)
    assert flags(books) == []
    assert books.settle(ada, "2026-03", APRIL) == [(4000 - 2320, 4000 - 2320, None)]
    assert books.balance("provider_payable", ada) == 0
    assert books.balance("credits", bob) == 0
    assert is_whole(books)


def test_a_refund_between_the_months_end_and_its_payout_lowers_it(books, ada, subscription):
    number = books.pay(subscription)
    books.call("refund", number, "back", 1450, FEBRUARY, FEBRUARY)
    assert books.settle(ada, "2026-01", FEBRUARY) == [(1160, 1160, None)]


def test_what_was_earned_after_the_month_waits_also_where_months_are_settled_late(
    books, ada, subscription
):
    books.pay(subscription, "a")
    books.pay(subscription, "b", at=FEBRUARY)
    books.pay(subscription, "c", at=MARCH)
    assert books.settle(ada, "2026-01", APRIL) == [(2320, 2320, None)]
    assert books.settle(ada, "2026-02", APRIL) == [(2320, 2320, None)]
    assert books.settle(ada, "2026-01", APRIL) == [(2320, 2320, None)]
    assert books.balance("provider_payable", ada) == -2320
    assert is_whole(books)


def test_a_small_balance_is_carried_over_until_it_reaches_the_minimum(books, ada, subscription):
    books.pay(subscription, "a", amount=1000)
    assert books.settle(ada, "2026-01", FEBRUARY) == [(0, 800, "below_minimum")]
    books.pay(subscription, "b", amount=1000, at=FEBRUARY)
    assert books.settle(ada, "2026-02", MARCH) == [(1600, 1600, None)]
    assert books.settle(ada, "2026-03", APRIL) == []


def test_each_currency_is_settled_for_itself(books, ada, subscription):
    books.pay(subscription, "a")
    books.pay(subscription, "b", currency="USD")
    assert books.settle(ada, "2026-01", FEBRUARY) == [(2320, 2320, None)] * 2
    assert is_whole(books)


@pytest.mark.parametrize("month", ["2026-01-02", "2026-02-01", "2030-01-01"])
def test_settling_a_month_that_runs_or_is_none_is_refused(books, ada, subscription, month):
    books.pay(subscription)
    with pytest.raises(psycopg.errors.CheckViolation, match="has not ended or is none"):
        books.call("payout", ada, month, FEBRUARY, FEBRUARY)


def test_a_provider_who_subscribes_to_themselves_is_refused_to_the_superuser(books, ada, bob, tide):
    with pytest.raises(psycopg.errors.CheckViolation, match="their own signal"):
        books.subscription(ada, tide)
    own = books.subscription(bob, tide)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="keeps its subscriber"):
        books.superuser.execute(
            "update billing.subscription set user_id = %s where id = %s", [ada, own]
        )


def test_a_providers_second_account_that_pays_by_the_same_card_is_flagged(
    books, ada, bob, subscription
):
    number = books.pay(subscription)
    for person, card in ((bob, "card-1"), (ada, "card-2")):
        books.call("card_used", person, card, JANUARY)
    assert flags(books) == []
    books.call("card_used", ada, "card-1", JANUARY)
    books.call("card_used", ada, "card-1", FEBRUARY)
    assert flags(books) == [("related_account", 2900)]
    assert books.rows("select subject from ledger.flagged") == [(number,)]
    assert books.rows("select count(*) from ledger.card where fingerprint_sha256 = 'card-1'") == [
        (0,)
    ]


def test_a_providers_statement_adds_up_and_is_theirs_alone(database, books, ada, bob, subscription):
    number = books.pay(subscription, "a")
    books.call("refund", number, "back", 1000, JANUARY, JANUARY)
    books.call("chargeback", number, "dispute", 500, 1500, JANUARY, JANUARY)
    books.call("credit", subscription, "missed", 100, "", JANUARY, JANUARY)
    books.settle(ada, "2026-01", FEBRUARY)
    books.pay(subscription, "b", at=FEBRUARY + timedelta(days=1))
    with database.connect(API) as connection:

        def statement(person, month):
            with connection.transaction():
                connection.execute("select set_config('app.user_id', %s, true)", [str(person)])
                return connection.execute(
                    "select * from ledger.statement(%s)", [f"{month}-01"]
                ).fetchall()

        # currency, opening, invoices, gross, fee, share, refunds, chargebacks, credit, other,
        # paid out, closing
        assert statement(ada, "2026-01") == [
            ("EUR", 0, 1, 2900, 580, 2320, -800, -400, -100, 0, 0, 1020)
        ]
        assert statement(ada, "2026-02") == [
            ("EUR", 1020, 1, 2900, 580, 2320, 0, 0, 0, 0, -1020, 2320)
        ]
        assert statement(bob, "2026-01") == []


@pytest.mark.parametrize("table", ["invoice", "invoice_line", "reversal", "payout"])
def test_another_persons_documents_are_not_there(books, as_api, ada, bob, subscription, table):
    number = books.pay(subscription)
    books.call("refund", number, "back", 100, JANUARY, JANUARY)
    books.settle(ada, "2026-01", FEBRUARY)
    seen = {}
    for name, person in (("ada", ada), ("bob", bob), ("eve", books.person("eve")), ("nobody", "")):
        with as_api.transaction():
            as_api.execute("select set_config('app.user_id', %s, true)", [str(person)])
            ((seen[name],),) = as_api.execute(f"select count(*) from ledger.{table}").fetchall()
    theirs = "ada" if table == "payout" else "bob"
    assert seen == {name: int(name == theirs) for name in seen}


def test_the_api_reads_flags_for_operators_only(books, as_api, ada, subscription):
    number = books.pay(subscription)
    books.settle(ada, "2026-01", FEBRUARY)
    books.call("refund", number, "back", 2900, FEBRUARY, FEBRUARY)
    found = []
    for person in (ada, books.person("root", "operator")):
        with as_api.transaction():
            as_api.execute("select set_config('app.user_id', %s, true)", [str(person)])
            found += as_api.execute("select count(*) from ledger.flags_for_operator()").fetchone()
    assert found == [0, 1]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_api.execute("select * from ledger.flagged")
