"""A superuser who switches every trigger off changes the books: trial-balance names it."""

from datetime import UTC, datetime

import pytest

from assets.usage.trial_balance import _faults, trial_balance

JANUARY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 3, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)

# What is done to the books, and the checks that say so: at least these.
TAMPERINGS = {
    "a line is changed": (
        "update ledger.line set amount_minor = amount_minor - 1 where account = 'platform_fee'",
        {"balance", "seal"},
    ),
    "two lines are changed in balance": (
        (
            "update ledger.line set amount_minor = amount_minor + case account when 'platform_fee'"
            " then 1 else -1 end where entry_id = (select min(id) from ledger.entry)"
            " and account in ('platform_fee', 'cash:manual')"
        ),
        {"seal", "amount"},
    ),
    "a line moves to another account": (
        "update ledger.line set account = 'cash:bank' where account = 'cash:manual'",
        {"seal"},
    ),
    "a line moves to another provider": (
        (
            "update ledger.line set party ="
            " (select id from account.user_account where handle = 'bob')"
            " where account = 'provider_payable'"
        ),
        {"seal"},
    ),
    "a line moves to an account that is none": (
        "update ledger.line set account = 'cash:pocket' where account = 'cash:manual'",
        {"seal", "line"},
    ),
    "a party is taken off its line": (
        "update ledger.line set party = null where account = 'provider_payable'",
        {"seal", "line"},
    ),
    "a currency is changed throughout an entry": (
        (
            "update ledger.line set currency = 'USD' where entry_id ="
            " (select min(id) from ledger.entry)"
        ),
        {"seal"},
    ),
    "two lines are added in balance": (
        (
            "insert into ledger.line select min(id), x.* from ledger.entry, (values"
            " (90, 'cash:bank', null::uuid, 5, 'EUR'), (91, 'refunds', null, -5, 'EUR')) x"
            " group by x.column1, x.column2, x.column3, x.column4, x.column5"
        ),
        {"seal"},
    ),
    "an entry's lines are deleted": (
        "delete from ledger.line where entry_id = (select min(id) from ledger.entry)",
        {"seal", "amount"},
    ),
    "an entry is deleted whole": (
        (
            "delete from ledger.line where entry_id = (select min(id) from ledger.entry);"
            " delete from ledger.entry where id = (select min(id) from ledger.entry)"
        ),
        {"seal", "document"},
    ),
    "an entry is deleted with its document, number and seal": (
        (
            "delete from ledger.invoice_line; delete from ledger.reversal;"
            " delete from ledger.line where entry_id = (select entry_id from ledger.invoice);"
            " delete from ledger.seal where entry_id = (select entry_id from ledger.invoice);"
            " delete from ledger.entry where id = (select entry_id from ledger.invoice);"
            " delete from ledger.invoice; delete from ledger.invoice_counter"
        ),
        {"chain"},
    ),
    "an entry is added, balanced and not sealed": (
        (
            "insert into ledger.entry (kind, reference, happened_at, known_at)"
            " values ('adjustment', 'mine', now(), now());"
            " insert into ledger.line select max(id), 1, 'cash:bank', null, 5, 'EUR'"
            " from ledger.entry;"
            " insert into ledger.line select max(id), 2, 'refunds', null, -5, 'EUR'"
            " from ledger.entry"
        ),
        {"seal"},
    ),
    "an entry is dated back": (
        (
            "update ledger.entry set happened_at = happened_at - interval '1 month'"
            " where kind = 'invoice'"
        ),
        {"seal"},
    ),
    "the reason of an entry is written anew": (
        "update ledger.entry set why = 'goodwill' where kind = 'credit'",
        {"seal"},
    ),
    "an entry is given another reference": (
        "update ledger.entry set reference = 'other' where kind = 'refund'",
        {"seal"},
    ),
    "an invoice's amount is changed": (
        "update ledger.invoice set amount_minor = amount_minor + 100",
        {"seal", "amount"},
    ),
    "an invoice's period is changed": (
        "update ledger.invoice set period_end = period_end + interval '1 day'",
        {"seal"},
    ),
    "an invoice is given to somebody else": (
        "update ledger.invoice set user_id = gen_random_uuid()",
        {"seal"},
    ),
    "an invoice's text is changed": (
        "update ledger.invoice_line set description = 'Consulting'",
        {"seal"},
    ),
    "an invoice is renumbered": (
        (
            "update ledger.invoice_line set invoice_number = '2026-000002';"
            " update ledger.reversal set invoice_number = '2026-000002';"
            " update ledger.invoice set number = '2026-000002', sequence = 2"
        ),
        {"seal", "number"},
    ),
    "a number is skipped": ("update ledger.invoice_counter set last = 7", {"number"}),
    "a refund is hidden": ("delete from ledger.reversal", {"seal", "document"}),
    "a refund is made smaller": (
        "update ledger.reversal set amount_minor = 800, provider_minor = 600, platform_minor = 200",
        {"seal", "amount"},
    ),
    "a refund above what was paid is added": (
        (
            "insert into ledger.reversal (entry_id, invoice_number, kind, amount_minor,"
            " provider_minor, platform_minor, fee_minor, happened_at)"
            " select 999, number, 'refund', 9000, 9000, 0, 0, now() from ledger.invoice"
        ),
        {"limit", "document"},
    ),
    "a payout is hidden, to be paid again": (
        "delete from ledger.payout",
        {"seal", "document"},
    ),
    "a month is settled a second time": (
        (
            "alter table ledger.payout drop constraint payout_provider_id_month_currency_key;"
            " insert into ledger.payout (entry_id, provider_id, month, currency, balance_minor,"
            " amount_minor, carried, settled_at) select 999, provider_id, month, currency,"
            " balance_minor, amount_minor, carried, settled_at from ledger.payout"
        ),
        {"payout"},
    ),
    "the rate is changed afterwards": (
        "update ledger.rate set basis_points = 5000",
        {"rate"},
    ),
    "credit is used that there never was": (
        "update ledger.line set amount_minor = 100 where account = 'credits'",
        {"credit", "balance", "seal"},
    ),
    "a seal is deleted": ("delete from ledger.seal where position = 2", {"seal", "chain"}),
    "the last seal is deleted": (
        "delete from ledger.seal where position = (select max(position) from ledger.seal)",
        {"seal"},
    ),
    "a digest is written anew after the entry": (
        (
            "update ledger.line set account = 'cash:bank' where account = 'cash:manual'"
            " and entry_id = (select min(id) from ledger.entry);"
            " update ledger.seal set digest = ledger.digest_of(entry_id, previous)"
            " where position = 1"
        ),
        {"chain"},
    ),
    "two seals change places": (
        (
            "update ledger.seal set entry_id = -entry_id where position in (1, 2);"
            " update ledger.seal a set entry_id = -b.entry_id from ledger.seal b"
            " where (a.position, b.position) in ((1, 2), (2, 1))"
        ),
        {"seal"},
    ),
}


@pytest.fixture
def lived(books, ada, subscription):
    """Books in which everything happened once."""
    number = books.pay(subscription, fee=30)
    books.call("refund", number, "back", 1000, JANUARY, JANUARY)
    books.call("credit", subscription, "missed", 40, "2 hours", JANUARY, JANUARY)
    books.settle(ada, "2026-01", FEBRUARY)
    return books


@pytest.mark.parametrize("what", TAMPERINGS, ids=str)
def test_a_superuser_past_every_trigger_is_named_where(lived, what):
    attack, checks = TAMPERINGS[what]
    before = trial_balance(lived.worker, LATER)
    assert (before.sealed, before.faults) == (4, [])
    with lived.superuser.transaction(force_rollback=True):
        lived.superuser.execute("set local session_replication_role = replica")
        lived.superuser.execute(attack)
        faults = list(_faults(lived.superuser))
    assert {fault.check for fault in faults} >= checks, faults


def test_a_chain_that_was_written_anew_ends_in_another_head(lived):
    before = trial_balance(lived.worker, LATER)
    lived.superuser.execute("set session_replication_role = replica")
    lived.superuser.execute("update ledger.entry set why = 'none' where kind = 'credit'")
    for position in range(1, 5):
        lived.superuser.execute(
            "update ledger.seal s set previous = coalesce((select p.digest from ledger.seal p"
            " where p.position = s.position - 1), '') where s.position = %s",
            [position],
        )
        lived.superuser.execute(
            "update ledger.seal set digest = ledger.digest_of(entry_id, previous)"
            " where position = %s",
            [position],
        )
    after = trial_balance(lived.worker, LATER)
    assert after.faults == []
    assert after.head != before.head


def test_a_column_that_is_added_later_leaves_old_seals_as_they_are(lived):
    with lived.superuser.transaction(force_rollback=True):
        lived.superuser.execute("alter table ledger.invoice add column tax_minor bigint")
        assert list(_faults(lived.superuser)) == []


def test_seals_hold_whatever_time_zone_the_reader_is_in(lived):
    lived.worker.execute("set timezone = 'Pacific/Apia'")
    assert trial_balance(lived.worker, LATER).faults == []


def test_balances_are_those_before_the_instant(lived):
    def of(at):
        return {one.account: one.balance_minor for one in trial_balance(lived.worker, at).balances}

    assert of(JANUARY) == {}
    assert of(FEBRUARY)["provider_payable"] == -2320 + 800 + 40
    assert of(LATER) == {
        "cash:bank": -1480,
        "cash:manual": 1870,
        "credits": -40,
        "payment_fee": 30,
        "platform_fee": -580,
        "refunds": 200,
    } | {"provider_payable": 0}
