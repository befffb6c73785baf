"""Figures of a day: what they count, and that the undefined is not zero."""

from datetime import UTC, date, datetime, timedelta

import pytest

from assets.usage.business import figures_of, store

JANUARY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
DAY = JANUARY.date()
LATER = datetime(2026, 6, 1, tzinfo=UTC)


def figures(books, day):
    return {
        (one.metric, one.currency): one.value if one.value is not None else one.reason
        for one in figures_of(books.worker, day)
    }


@pytest.mark.usefixtures("tide")
def test_of_an_installation_that_sold_nothing_no_figure_is_zero(books):
    found = figures_of(books.worker, DAY)
    assert [one.value for one in found] == [None] * 6
    assert all(one.reason for one in found)
    assert {one.metric for one in found} == {
        "active", "mrr", "trials", "conversion", "churn", "revenue",
    }  # fmt: skip


def test_who_pays_is_counted_from_the_payment_to_the_end_of_the_period(books, ada, subscription):
    books.pay(subscription)
    other = books.subscription(books.person("eve"), books.signal(ada, "flood", currency="USD"))
    books.pay(other, "b", currency="USD", at=JANUARY + timedelta(days=1), amount=500)
    assert figures(books, DAY - timedelta(days=1))["active", None] == "no invoice was ever paid"
    first = figures(books, DAY)
    assert (first["active", None], first["mrr", "EUR"]) == (1, 2900)
    assert ("mrr", "USD") not in first
    second = figures(books, DAY + timedelta(days=1))
    assert second["active", None] == 2
    assert (second["mrr", "EUR"], second["mrr", "USD"]) == (2900, 500)
    over = figures(books, DAY + timedelta(days=31))
    assert (over["active", None], over["mrr", "EUR"], over["mrr", "USD"]) == (1, 0, 500)


def test_a_subscription_that_was_wholly_refunded_is_not_active(books, subscription):
    number = books.pay(subscription)
    books.call("refund", number, "a", 1000, JANUARY, JANUARY)
    assert figures(books, DAY)["active", None] == 1
    tomorrow = JANUARY + timedelta(days=1)
    books.call("refund", number, "b", 1900, tomorrow, tomorrow)
    assert figures(books, DAY)["active", None] == 1
    assert figures(books, DAY + timedelta(days=1))["active", None] == 0


def test_conversion_is_of_the_trials_that_ended_within_thirty_days(books, ada):
    signal = books.signal(ada, trial_days=14)
    people = [
        books.subscription(books.person(handle), signal, had_trial=True)
        for handle in ("bob", "eve", "joe", "kim")
    ]
    running = figures(books, DAY)
    assert (running["trials", None], running["conversion", None]) == (
        4,
        "no trial ended in these 30 days",
    )
    books.pay(people[0], "a", at=JANUARY + timedelta(days=3))
    books.pay(people[1], "b", at=JANUARY + timedelta(days=20))
    assert figures(books, DAY + timedelta(days=5))["trials", None] == 3
    ended = figures(books, DAY + timedelta(days=15))
    assert (ended["trials", None], ended["conversion", None]) == (0, 0.25)
    assert figures(books, DAY + timedelta(days=25))["conversion", None] == 0.5
    assert figures(books, DAY + timedelta(days=60))["conversion", None] == (
        "no trial ended in these 30 days"
    )


def test_churn_is_the_share_of_last_months_payers_who_pay_no_more(books, ada, subscription):
    books.pay(subscription, "a")
    eve = books.subscription(books.person("eve"), books.signal(ada, "flood"))
    books.pay(eve, "b")
    assert figures(books, DAY)["churn", None] == "nobody paid 30 days before"
    books.pay(eve, "c", at=JANUARY + timedelta(days=31))
    assert figures(books, DAY + timedelta(days=30))["churn", None] == 0
    assert figures(books, DAY + timedelta(days=32))["churn", None] == 0.5


def test_revenue_is_per_signal_and_day_and_what_goes_back_lowers_it(books, ada, subscription):
    books.signal(ada, "unsold")
    number = books.pay(subscription)
    tomorrow = JANUARY + timedelta(days=1)
    books.call("refund", number, "back", 500, tomorrow, tomorrow)

    def revenue(day):
        return [
            (one.value, one.currency) for one in figures_of(books.worker, day)
            if one.metric == "revenue"
        ]  # fmt: skip

    assert revenue(DAY) == [(2900, "EUR"), (None, None)]
    assert revenue(DAY + timedelta(days=1)) == [(-500, "EUR"), (None, None)]
    assert revenue(DAY + timedelta(days=2)) == [(0, "EUR"), (None, None)]


def test_a_day_computed_again_adds_rows_and_a_null_without_a_reason_is_refused(books, subscription):
    books.pay(subscription)
    for _ in range(2):
        store(books.worker, DAY, figures_of(books.worker, DAY), LATER)
    assert books.rows("select count(*) from ledger.metric_day where metric = 'active'") == [(2,)]
    for value, reason in ((None, None), (1.0, "both")):
        with pytest.raises(Exception, match="null_says_why"):
            books.superuser.execute(
                "insert into ledger.metric_day (day, metric, value, reason, computed_at)"
                " values (%s, 'mrr', %s, %s, now())",
                [date(2026, 1, 1), value, reason],
            )
