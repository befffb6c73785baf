"""Invoices as their subscriber sees them, and nobody else."""

from datetime import UTC, datetime, timedelta

import pytest

from api.invoices.page import STYLE_HASH, money
from sql.roles import WORKER

NOW = datetime.now(UTC)


@pytest.fixture
def pay(database, make, bob, tide):
    """Pay a month of bob's subscription; the invoice's number."""
    subscription = make.subscription(bob, tide)

    def paid(reference, amount=2900):
        with database.connect(WORKER) as connection:
            return connection.execute(
                "select ledger.invoice_paid(%s, %s, %s, %s, %s, 'EUR', 30, 'manual', %s, %s)",
                [subscription, reference, NOW, NOW + timedelta(days=31), amount, NOW, NOW],
            ).fetchone()[0]

    return paid


@pytest.fixture
def refund(database):
    def refunded(number, reference, amount):
        with database.connect(WORKER) as connection:
            connection.execute(
                "select ledger.refund(%s, %s, %s, %s, %s)", [number, reference, amount, NOW, NOW]
            )

    return refunded


def test_an_invoice_lists_what_was_paid_and_what_went_back(client, bob, pay, refund):
    number = pay("a")
    refund(number, "back", 1000)
    (item,) = client.get("/v1/invoices", headers=bob.headers).json()["items"]
    assert (item["number"], item["signal"]) == (number, "ada/tide")
    assert (item["amount_minor"], item["refunded_minor"], item["currency"]) == (2900, 1000, "EUR")
    whole = client.get(f"/v1/invoices/{number}", headers=bob.headers).json()
    assert whole["subscriber"] == "bob"
    assert [line["amount_minor"] for line in whole["lines"]] == [2900]
    assert [(back["kind"], back["amount_minor"]) for back in whole["reversals"]] == [
        ("refund", 1000)
    ]
    assert "payment_fee_minor" not in whole


def test_invoices_come_newest_first_page_by_page(client, bob, pay):
    numbers = [pay(f"pay-{index}") for index in range(5)]
    seen, cursor = [], None
    while cursor or not seen:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/invoices", params=query, headers=bob.headers).json()
        seen += [item["number"] for item in page["items"]]
        cursor = page["next"]
    assert seen == numbers[::-1]


def test_somebody_elses_invoice_is_404_also_for_its_provider_and_an_operator(
    client, make, ada, pay
):
    number = pay("a")
    for person in (ada, make.person("eve"), make.person("root", "operator")):
        answer = client.get(f"/v1/invoices/{number}", headers=person.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert client.get("/v1/invoices", headers=person.headers).json()["items"] == []


def test_a_made_up_number_is_a_problem_below_500(client, bob, pay):
    pay("a")
    for number in ("2026-999999", "x", "2026-000001%00", "'%3B--", "1" * 5000):
        answer = client.get(f"/v1/invoices/{number}", headers=bob.headers)
        assert 400 <= answer.status_code < 500, number


def test_the_page_to_print_escapes_loads_nothing_and_runs_nothing(client, make, bob, pay, refund):
    number = pay("a")
    refund(number, "back", 1000)
    make.connection.execute("set session_replication_role = replica")
    make.connection.execute("update ledger.invoice_line set description = '<script>alert(1)'")
    answer = client.get(f"/v1/invoices/{number}", headers=bob.headers | {"Accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'")
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "<script" not in answer.text
    assert "TEST PAYMENT" in answer.text
    assert "-10.00" in answer.text
    assert "29.00" in answer.text


def test_who_does_not_ask_for_html_first_gets_json(client, bob, pay):
    number = pay("a")
    for accept in ("application/json", "*/*", "application/json, text/html;q=0.5"):
        answer = client.get(f"/v1/invoices/{number}", headers=bob.headers | {"Accept": accept})
        assert answer.json()["number"] == number
        assert answer.headers["vary"] == "Accept"


def test_money_is_written_with_two_places_also_below_zero():
    assert [money(each) for each in (0, 5, -5, 2900, -120)] == [
        "0.00",
        "0.05",
        "-0.05",
        "29.00",
        "-1.20",
    ]
