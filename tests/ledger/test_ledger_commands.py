"""The operator's commands about money, against a database as its roles see it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from pipelines.operator.commands import commands
from pipelines.operator.ledger import set_platform_fee
from sql.roles import OWNER, WORKER

JANUARY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
NAMED = {command.name: command for command in commands}


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    url = database.url(WORKER).render_as_string(hide_password=False)
    monkeypatch.setenv("SIGNALBOX_DATABASE_URL", url)
    monkeypatch.setenv("SIGNALBOX_IMAGE_STORE", str(tmp_path))

    def runs(name, *arguments):
        return CliRunner().invoke(NAMED[name], arguments)

    return runs


def test_the_trial_balance_of_whole_books_is_told_and_exits_with_0(books, run, subscription):
    books.pay(subscription)
    said = run("trial-balance")
    assert said.exit_code == 0, said.output
    assert "platform_fee                    -580 EUR" in said.output
    assert said.output.endswith("in balance\n")
    told = json.loads(run("trial-balance", "--json", "--at", "2026-01-01").output)
    assert (told["balances"], told["sealed"], told["faults"]) == ([], 1, [])


def test_the_trial_balance_of_altered_books_names_the_entry_and_exits_with_1(
    books, run, subscription
):
    books.pay(subscription)
    books.superuser.execute("set session_replication_role = replica")
    books.superuser.execute("update ledger.line set amount_minor = 0 - amount_minor")
    said = run("trial-balance")
    assert said.exit_code == 1
    assert "seal: entry" in said.output
    assert json.loads(run("trial-balance", "--json").output)["faults"]


def test_payouts_settle_a_month_once_and_are_on_record(books, run, subscription):
    books.pay(subscription)
    expected = "ada                             2320 EUR paid\n1 balances settled\n"
    assert run("payouts", "2026-01").output == expected
    assert run("payouts", "2026-01").output == expected
    assert books.balance("cash:bank") == -2320
    acts = books.rows("select subject from audit.event where action = 'payouts.run'")
    assert acts == [("2026-01",)] * 2


@pytest.mark.parametrize("month", ["2999-01", "2026-13", "January", "2026-01-01"])
def test_a_month_that_runs_or_is_none_is_refused_with_what_to_name(run, month):
    said = run("payouts", month)
    assert said.exit_code == 1
    assert "month" in said.output


def test_a_new_platform_fee_holds_for_what_is_paid_from_then_on(database, books, ada, subscription):
    then = JANUARY + timedelta(days=1)
    assert set_platform_fee(database.url(OWNER), 1000, None, then) == 1000
    assert set_platform_fee(database.url(OWNER), 1500, 500, then) == 500
    books.pay(subscription, "a", at=JANUARY)
    assert books.balance("provider_payable", ada) == -2320
    books.pay(subscription, "b", at=then)
    assert books.balance("provider_payable", ada) == -2320 - 2465
    acts = books.rows("select subject from audit.event where action = 'ledger.platform_fee'")
    assert acts == [("1000 basis points",), ("1500 basis points",)]
