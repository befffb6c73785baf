"""Whatever is posted, told twice, in whatever order: the books stay whole and say what is owed."""

from datetime import UTC, datetime, timedelta

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.usage.trial_balance import _faults

JANUARY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
LATER = JANUARY + timedelta(days=400)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(0, 3), st.integers(0, 5000)),
        st.tuples(st.just("credit"), st.integers(0, 3), st.integers(1, 3000)),
        st.tuples(st.just("refund"), st.integers(0, 6), st.integers(1, 3000)),
        st.tuples(st.just("chargeback"), st.integers(0, 6), st.integers(1, 3000)),
        st.tuples(st.just("payout"), st.integers(0, 3), st.integers(0, 0)),
    ),
    max_size=14,
)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=steps)
def test_whatever_is_posted_in_whatever_order_the_books_stay_whole(books, steps):
    with books.worker.transaction(force_rollback=True):
        _Walk(books).take(steps)


class _Walk:
    """Posts steps, each told twice, and keeps its own account of what the provider is owed."""

    def __init__(self, books):
        self.books = books
        self.connection = books.worker
        if not books.rows("select 1 from account.user_account"):
            self.make(books)
        ((self.provider,),) = books.rows("select id from account.user_account where handle = 'ada'")
        self.subscriptions = [
            id_ for (id_,) in books.rows("select id from billing.subscription order by id")
        ]
        self.numbers = []
        self.owed = 0

    def make(self, books):
        signal = books.signal(books.person("ada"))
        for handle in ("bob", "eve", "joe", "kim"):
            books.subscription(books.person(handle), signal)

    def take(self, steps):
        for index, (kind, which, amount) in enumerate(steps):
            getattr(self, kind)(f"{kind}-{index}", which, amount)
        self.connection.execute("set constraints all immediate")
        assert list(_faults(self.connection)) == []
        ((owed,),) = self.connection.execute(
            "select coalesce(-sum(amount_minor), 0)::bigint from ledger.line"
            " where account = 'provider_payable'"
        ).fetchall()
        assert owed == self.owed

    def twice(self, function, *values):
        places = ", ".join(["%s"] * len(values))
        said = [
            self.connection.execute(f"select ledger.{function}({places})", values).fetchone()[0]
            for _ in range(2)
        ]
        assert said[0] == said[1]
        return said[0]

    def pay(self, reference, which, amount):
        subscription = self.subscriptions[which]
        self.twice("apply_credit", subscription, reference, amount, JANUARY, JANUARY)
        end = JANUARY + timedelta(days=31)
        self.numbers.append(
            self.twice(
                "invoice_paid", subscription, reference, JANUARY, end, amount, "EUR", 0, "manual",
                JANUARY, JANUARY,
            )
        )  # fmt: skip
        self.owed += amount - amount // 5

    def credit(self, reference, which, amount):
        self.twice("credit", self.subscriptions[which], reference, amount, "", JANUARY, JANUARY)
        self.owed -= amount

    def refund(self, reference, which, amount, fee=()):
        if which >= len(self.numbers):
            return
        function = reference.partition("-")[0]
        query = "select provider_minor from ledger.reversal order by id desc limit 1"
        try:
            with self.connection.transaction():
                self.twice(function, self.numbers[which], reference, amount, *fee, LATER, LATER)
        except psycopg.errors.CheckViolation:
            return
        self.owed -= self.connection.execute(query).fetchone()[0]

    def chargeback(self, reference, which, amount):
        self.refund(reference, which, amount, (15,))

    def payout(self, _, which, __):
        month = f"2026-0{which + 1}-01"
        paid = [
            self.connection.execute(
                "select coalesce(sum(amount_minor), 0)::bigint from ledger.payout(%s, %s, %s, %s)"
                " where settled_at = %s",
                [self.provider, month, LATER, LATER, LATER],
            ).fetchone()[0]
            for _ in range(2)
        ]
        assert paid[0] == paid[1]
        before = self.connection.execute(
            "select coalesce(sum(amount_minor), 0)::bigint from ledger.payout"
        ).fetchone()[0]
        self.owed -= before - getattr(self, "paid_out", 0)
        self.paid_out = before
