"""Entries: balanced, once, in any order, from any number of people at once, and for ever."""

import random
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from assets.usage.trial_balance import _faults, trial_balance
from sql.roles import API, GIT, LOG, MODEL, OWNER, WORKER

DOCS = Path(__file__).parents[2] / "docs"
JANUARY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
ACCOUNTS = ("cash:bank", "cash:manual", "platform_fee", "payment_fee", "refunds", "chargebacks")
amounts = st.integers(-(10**12), 10**12).filter(bool)


def line(account, amount, currency="EUR", party=None):
    return {
        "account": account,
        "party": str(party) if party else None,
        "amount_minor": amount,
        "currency": currency,
    }


def post(connection, reference, lines, kind="adjustment"):
    (entry,) = connection.execute(
        "select ledger.post(%s, %s, %s, %s, null, %s)",
        [kind, reference, JANUARY, JANUARY, Jsonb(lines)],
    ).fetchone()
    return entry


@st.composite
def balanced(draw):
    """Lines that sum to zero."""
    some = draw(st.lists(st.tuples(st.sampled_from(ACCOUNTS), amounts), min_size=1, max_size=6))
    lines = [line(account, amount) for account, amount in some]
    return [*lines, line("cash:bank", -sum(amount for _, amount in some))]


QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@QUICK
@given(
    entries=st.lists(balanced(), min_size=1, max_size=5), again=st.randoms(use_true_random=False)
)
def test_entries_posted_in_any_order_and_again_are_there_once_and_in_balance(books, entries, again):
    named = [(f"entry-{index}", lines) for index, lines in enumerate(entries)]
    told = named + again.choices(named, k=len(named))
    again.shuffle(told)
    with books.worker.transaction(force_rollback=True):
        ids = {}
        for reference, lines in told:
            shuffled = again.sample(lines, len(lines))
            entry = post(books.worker, reference, shuffled)
            assert ids.setdefault(reference, entry) == entry
        books.worker.execute("set constraints all immediate")
        assert books.worker.execute("select count(*) from ledger.entry").fetchone() == (len(named),)
        assert list(_faults(books.worker)) == []


@QUICK
@given(lines=balanced(), off=amounts)
def test_an_entry_that_does_not_balance_never_commits(books, lines, off):
    with (
        pytest.raises(psycopg.errors.CheckViolation, match="out of balance"),
        books.worker.transaction(),
    ):
        post(books.worker, "off", [*lines, line("cash:manual", off)])
    assert books.rows("select count(*) from ledger.entry") == [(0,)]


@QUICK
@given(lines=balanced(), off=amounts)
def test_other_lines_under_a_reference_that_is_taken_are_refused(books, lines, off):
    with books.worker.transaction(force_rollback=True):
        first = post(books.worker, "r", lines)
        assert post(books.worker, "r", lines) == first
        others = [*lines, line("cash:manual", off), line("cash:bank", -off)]
        with (
            pytest.raises(psycopg.errors.UniqueViolation, match="posted already"),
            books.worker.transaction(),
        ):
            post(books.worker, "r", others)


def test_a_superusers_own_insert_must_balance_too(books):
    with pytest.raises(psycopg.errors.CheckViolation, match="out of balance by 5 EUR"):
        books.superuser.execute(
            "with made as (insert into ledger.entry (kind, reference, happened_at, known_at)"
            " values ('x', 'x', now(), now()) returning id)"
            " insert into ledger.line select id, 1, 'cash:bank', null, 5, 'EUR' from made"
        )


@pytest.mark.parametrize(
    "lines",
    [
        [line("cash:bank", 5), line("cash:manual", -5, "USD")],
        [line("cash:bank", 5, "EURO"), line("cash:manual", -5, "EURO")],
        [line("cash:bank", 10**16), line("cash:manual", -(10**16))],
        [line("cash:nowhere", 5), line("cash:manual", -5)],
        [line("provider_payable", 5), line("cash:manual", -5)],
        [line("platform_fee", 5, party=uuid.UUID(int=1)), line("cash:manual", -5)],
        [line("provider_payable", 5, party=uuid.UUID(int=1)), line("cash:manual", -5)],
        [line("cash:bank", 1.5), line("cash:manual", -1.5)],
        [line("cash:bank", None)],
        [{}],
        {"account": "cash:bank"},
    ],
    ids=str,
)
def test_lines_of_the_wrong_form_are_refused(books, lines):
    with pytest.raises(psycopg.Error):
        post(books.worker, "r", lines)
    assert books.rows("select count(*) from ledger.entry") == [(0,)]


@pytest.mark.parametrize("row", ["line", "invoice", "reversal", "payout", "invoice_line"])
def test_adding_to_an_entry_whose_transaction_has_ended_is_refused_to_the_superuser(
    books, subscription, row
):
    number = books.pay(subscription)
    books.call("refund", number, "back-1", 100, JANUARY, JANUARY)
    ((entry,),) = books.rows("select entry_id from ledger.invoice")
    values = {
        "line": ("ledger.line", f"{entry}, 99, 'cash:bank', null, 5, 'EUR'"),
        "invoice_line": ("ledger.invoice_line", f"'{number}', 99, 'Gift', 5"),
    }
    if row in values:
        table, sold = values[row]
        attack = f"insert into {table} values ({sold})"
    else:
        columns = books.rows(
            "select string_agg(column_name, ', ') from information_schema.columns"
            " where table_schema = 'ledger' and table_name = %s and is_identity = 'NO'",
            row,
        )[0][0]
        given_ = ", ".join(str(entry) if c == "entry_id" else "null" for c in columns.split(", "))
        attack = f"insert into ledger.{row} ({columns}) values ({given_})"
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is sealed"):
        books.superuser.execute(attack)


def test_entries_from_many_people_in_random_order_form_one_chain(database, books):
    named = [
        (f"entry-{index}", [line("cash:bank", index + 1), line("cash:manual", -index - 1)])
        for index in range(40)
    ]

    def person(seed):
        order = random.Random(seed).sample(named, len(named))  # noqa: S311 - an order
        with database.connect(WORKER) as connection:
            return {reference: post(connection, reference, lines) for reference, lines in order}

    with ThreadPoolExecutor(12) as people:
        answers = list(people.map(person, range(12)))
    assert all(answer == answers[0] for answer in answers)
    report = trial_balance(books.worker, JANUARY.replace(year=2027))
    assert (report.sealed, report.faults) == (40, [])
    assert books.rows("select min(position), max(position) from ledger.seal") == [(1, 40)]


TABLES = ("account", "entry", "line", "seal", "rate", "invoice", "invoice_line", "invoice_counter",
          "reversal", "payout", "card", "metric_day")  # fmt: skip


def test_truncating_any_table_of_the_books_is_refused_to_every_role_and_the_superuser(
    database, books
):
    for role in (API, GIT, WORKER, LOG, OWNER):
        with database.connect(role) as connection:
            for table in TABLES:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"truncate ledger.{table} cascade")
    for table in TABLES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            books.superuser.execute(f"truncate ledger.{table} cascade")


@pytest.mark.parametrize("role", [API, GIT, LOG, MODEL, WORKER])
def test_no_process_writes_the_books_but_through_functions(database, role):
    with database.superuser() as connection:
        held = connection.execute(
            "select t, p from unnest(%s::text[]) t, unnest(%s::text[]) p"
            " where has_table_privilege(%s, 'ledger.' || t, p)"
            " or (p in ('insert', 'update') and has_any_column_privilege(%s, 'ledger.' || t, p))",
            [list(TABLES), ["insert", "update", "delete", "truncate"], role, role],
        ).fetchall()
    assert held == ([("metric_day", "insert")] if role == WORKER else [])


@pytest.mark.parametrize("role", [GIT, LOG, MODEL])
def test_who_has_nothing_to_do_with_money_calls_none_of_its_functions(database, role):
    with database.superuser() as connection:
        callable_ = connection.execute(
            "select p.oid::regprocedure::text from pg_proc p where p.pronamespace ="
            " 'ledger'::regnamespace and has_function_privilege(%s, p.oid, 'execute')",
            [role],
        ).fetchall()
    assert callable_ == []


@pytest.mark.parametrize("role", [API, WORKER])
def test_the_inner_functions_are_nobodys(database, role):
    with database.superuser() as connection:
        callable_ = connection.execute(
            "select p.proname from pg_proc p where p.pronamespace = 'ledger'::regnamespace"
            " and p.proname in ('write', 'reverse', 'next_invoice', 'hold', 'rate_at', 'balance')"
            " and has_function_privilege(%s, p.oid, 'execute')",
            [role],
        ).fetchall()
    assert callable_ == []


@pytest.mark.parametrize("role", [API, WORKER, OWNER])
@pytest.mark.parametrize(
    "change", ["update ledger.line set amount_minor = 1", "delete from ledger.line"]
)
def test_changing_a_line_is_refused_to_every_role(database, books, subscription, role, change):
    books.pay(subscription)
    with database.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(change)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="insert-only"):
        books.superuser.execute(change)


def test_every_function_that_sees_more_pins_its_search_path(database):
    with database.superuser() as connection:
        loose = connection.execute(
            "select proname from pg_proc where pronamespace = 'ledger'::regnamespace and prosecdef"
            " and not coalesce(proconfig @> array['search_path=pg_catalog'], false)"
        ).fetchall()
    assert loose == []


def test_the_documents_name_every_account_and_their_example_posts(books, ada):
    decision = (DOCS / "decisions" / "0025-ledger.md").read_text()
    chart = decision.partition("| account |")[2].partition("| kind |")[0]
    first_cells = re.findall(r"^\| (`.*?) \|", chart, re.MULTILINE)
    named = {code for cell in first_cells for code in re.findall(r"`([a-z_:]+)`", cell)}
    assert named == {code for (code,) in books.rows("select code from ledger.account")}
    page = (DOCS / "operations" / "ledger.md").read_text()
    (example,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    books.worker.execute(example.replace("6f1c...", str(ada)))
    assert books.balance("provider_payable", ada) == -500
