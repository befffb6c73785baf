"""What a provider earns, what an operator settles and sees, and the story of a late refund."""

from datetime import UTC, date, datetime, timedelta

import pytest

from sql.roles import WORKER

THIS_MONTH = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
LAST_MONTH = (THIS_MONTH - timedelta(days=1)).replace(day=1)
MONTH = f"{LAST_MONTH:%Y-%m}"


@pytest.fixture
def books(database):
    """Functions of the ledger, called as the worker."""
    with database.connect(WORKER) as connection:

        def call(function, *values):
            places = ", ".join(["%s"] * len(values))
            return connection.execute(f"select ledger.{function}({places})", values).fetchone()[0]

        yield call


@pytest.fixture
def root(make):
    return make.person("root", "operator")


@pytest.fixture
def number(books, make, bob, tide):
    """bob's invoice of last month, 29.00 EUR."""
    at = LAST_MONTH + timedelta(days=2)
    return books(
        "invoice_paid", make.subscription(bob, tide), "a", at, at + timedelta(days=31), 2900, "EUR",
        0, "manual", at, at,
    )  # fmt: skip


def settle(client, person, month=MONTH):
    return client.post("/v1/admin/payouts", json={"month": month}, headers=person.headers)


def test_a_refund_after_the_payout_is_seen_by_everyone_whom_it_concerns(
    client, make, books, ada, bob, root, number
):
    # The month is settled: ada gets her share.
    (paid,) = settle(client, root).json()["payouts"]
    assert (paid["provider"], paid["amount_minor"], paid["carried"]) == ("ada", 2320, None)
    summary = client.get("/v1/provider/summary", headers=ada.headers).json()
    assert summary["balances"] == [{"currency": "EUR", "balance_minor": 0}]
    assert summary["signals"] == [{"signal": "ada/tide", "paying": 1, "trialing": 0}]
    # bob gets his money back afterwards.
    now = datetime.now(UTC)
    books("refund", number, "back", 2900, now, now)
    whole = client.get(f"/v1/invoices/{number}", headers=bob.headers).json()
    assert whole["refunded_minor"] == 2900
    # ada owes her share, and sees why; the operator sees it flagged.
    summary = client.get("/v1/provider/summary", headers=ada.headers).json()
    assert summary["balances"] == [{"currency": "EUR", "balance_minor": -2320}]
    (month,) = summary["this_month"]
    assert (month["refunded_minor"], month["paid_out_minor"]) == (-2320, -2320)
    (flag,) = client.get("/v1/admin/business", headers=root.headers).json()["flagged"]
    assert (flag["flag"], flag["provider"]) == ("negative_balance", "ada")
    # Settling the month again changes nothing.
    assert settle(client, root).json()["payouts"] == [paid]
    acts = make.connection.execute(
        "select actor_id, subject, detail from audit.event where action = 'payouts.run'"
    ).fetchall()
    assert acts == [(root.id, MONTH, {"paid": 1, "carried": 0})] * 2


def test_a_statement_adds_up_and_names_its_settlement(client, ada, root, number):
    assert number
    path = f"/v1/provider/statements/{MONTH}"
    before = client.get(path, headers=ada.headers).json()
    (of_currency,) = before["currencies"]
    assert (of_currency["gross_minor"], of_currency["platform_fee_minor"]) == (2900, 580)
    assert of_currency["closing_minor"] == of_currency["share_minor"] == 2320
    assert (before["is_over"], before["payouts"]) == (True, [])
    settle(client, root)
    (payout,) = client.get(path, headers=ada.headers).json()["payouts"]
    assert (payout["amount_minor"], payout["month"]) == (2320, f"{MONTH}-01")
    listed = client.get("/v1/provider/payouts", headers=ada.headers).json()
    assert listed == {"items": [payout], "next": None}
    running = f"/v1/provider/statements/{THIS_MONTH:%Y-%m}"
    assert client.get(running, headers=ada.headers).json()["is_over"] is False


def test_payouts_come_page_by_page(client, make, ada):
    make.connection.execute("set session_replication_role = replica")
    for index in range(5):
        make.connection.execute(
            "insert into ledger.payout (entry_id, provider_id, month, currency, balance_minor,"
            " amount_minor, settled_at) values (%s, %s, %s, 'EUR', 5, 5, now())",
            [index, ada.id, date(2025, index + 1, 1)],
        )
    seen, cursor = [], None
    while cursor or not seen:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/provider/payouts", params=query, headers=ada.headers).json()
        seen += [item["month"] for item in page["items"]]
        cursor = page["next"]
    assert seen == [f"2025-0{index}-01" for index in range(5, 0, -1)]


def test_another_provider_sees_nothing_of_it(client, make, root, number):
    assert number
    settle(client, root)
    eve = make.person("eve")
    assert client.get("/v1/provider/summary", headers=eve.headers).json() == {
        "balances": [],
        "signals": [],
        "this_month": [],
    }
    assert client.get("/v1/provider/payouts", headers=eve.headers).json()["items"] == []
    statement = client.get(f"/v1/provider/statements/{MONTH}", headers=eve.headers).json()
    assert (statement["currencies"], statement["payouts"]) == ([], [])


def test_a_month_that_is_not_over_is_not_settled(client, root, number):
    assert number
    answer = settle(client, root, f"{THIS_MONTH:%Y-%m}")
    assert (answer.status_code, answer.json()["code"]) == (409, "month_not_over")


def test_what_is_no_month_is_400(client, ada, root):
    for month in ("2026-13", "2026-1", "0000-01", "9999-12-31", "x", "2026-01 "):
        assert settle(client, root, month).status_code == 400
        answer = client.get(f"/v1/provider/statements/{month}", headers=ada.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_the_business_shows_a_days_newest_figures_with_the_reasons_of_nulls(client, make, root):
    nothing = client.get("/v1/admin/business", headers=root.headers).json()
    assert nothing == {"day": None, "computed_at": None, "figures": [], "flagged": []}
    for day, metric, value, reason in (
        ("2026-01-01", "active", 1, None),
        ("2026-01-02", "active", 2, None),
        ("2026-01-02", "active", 3, None),
        ("2026-01-02", "churn", None, "nobody paid 30 days before"),
    ):
        make.connection.execute(
            "insert into ledger.metric_day (day, metric, value, reason, computed_at)"
            " values (%s, %s, %s, %s, now())",
            [day, metric, value, reason],
        )
    newest = client.get("/v1/admin/business", headers=root.headers).json()
    assert newest["day"] == "2026-01-02"
    assert [(f["metric"], f["value"], f["reason"]) for f in newest["figures"]] == [
        ("active", 3, None),
        ("churn", None, "nobody paid 30 days before"),
    ]
    first = client.get("/v1/admin/business?day=2026-01-01", headers=root.headers).json()
    assert [f["value"] for f in first["figures"]] == [1]
    for odd in ("x", "2026-13-01", "-5"):
        answer = client.get(f"/v1/admin/business?day={odd}", headers=root.headers)
        assert answer.status_code == 400
