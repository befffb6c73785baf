"""The books held against themselves: every account's balance, and whatever is out of place.

Theory. An entry balances when it is written, and is sealed when its transaction commits:
its digest covers the seal before it, its lines and its document (invoice, reversal or
payout). Whoever changes anything past the triggers, as a superuser can, leaves a digest
that no longer comes out. Whoever computes all digests anew has to know every document's
arithmetic too, and ends in another head than the one an operator noted down before.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, LiteralString

import msgspec
import psycopg
from psycopg.rows import class_row


class AccountBalance(msgspec.Struct, frozen=True, kw_only=True):
    """One account in one currency, in minor units; `balance_minor` is debits less credits."""

    account: str
    currency: str
    debit_minor: int
    credit_minor: int
    balance_minor: int


class BookFault(msgspec.Struct, frozen=True):
    """What is out of place.

    Attributes:
        check: a key of `CHECKS`.
        subject: the entry, seal, invoice or provider.
    """

    check: str
    subject: str
    problem: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}"


class TrialBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Balances at an instant, and what is wrong with the books as they are now.

    Attributes:
        at: entries that happened before it are summed up, UTC.
        sealed: how many entries the chain covers.
        head: the newest digest, in hex; empty: no entry yet.
    """

    at: datetime
    balances: list[AccountBalance]
    sealed: int
    head: str
    faults: list[BookFault]

    @property
    def is_whole(self) -> bool:
        return not self.faults


BALANCES: LiteralString = """
select l.account, l.currency,
       coalesce(sum(l.amount_minor) filter (where l.amount_minor > 0), 0)::bigint as debit_minor,
       coalesce(-sum(l.amount_minor) filter (where l.amount_minor < 0), 0)::bigint as credit_minor,
       sum(l.amount_minor)::bigint as balance_minor
from ledger.line l join ledger.entry e on e.id = l.entry_id
where e.happened_at < %s
group by l.account, l.currency order by l.currency, l.account
"""

HEAD: LiteralString = """
select count(*), coalesce((select encode(s.digest, 'hex') from ledger.seal s
                           order by s.position desc limit 1), '')
from ledger.seal
"""

# Each gives rows of a subject and what is wrong with it.
CHECKS: dict[str, LiteralString] = {
    "balance": """
        select 'entry ' || l.entry_id,
               'is out of balance by ' || sum(l.amount_minor) || ' ' || l.currency
        from ledger.line l group by l.entry_id, l.currency having sum(l.amount_minor) <> 0
        order by l.entry_id""",
    "line": """
        select 'entry ' || l.entry_id,
               case when e.id is null then 'is gone, its lines are not'
                    when a.code is null then 'posts to ' || l.account || ', which is no account'
                    else 'line ' || l.position || ' names the wrong party for ' || l.account end
        from ledger.line l left join ledger.entry e on e.id = l.entry_id
        left join ledger.account a on a.code = l.account
        where e.id is null or a.code is null or (a.party <> 'none') <> (l.party is not null)
        order by l.entry_id""",
    "chain": """
        select 'seal ' || s.position,
               case when s.before + 1 <> s.position then 'seals before it are missing'
                    else 'does not follow from the seal before it' end
        from (select s.position, s.previous,
                     coalesce(lag(s.position) over chain, 0) as before,
                     coalesce(lag(s.digest) over chain, ''::bytea) as digest_before
              from ledger.seal s window chain as (order by s.position)) s
        where s.before + 1 <> s.position or s.previous <> s.digest_before
        order by s.position""",
    "seal": """
        select 'entry ' || coalesce(s.entry_id, e.id),
               case when s.entry_id is null then 'is not sealed'
                    when e.id is null then 'was sealed and is gone'
                    else 'differs from what was sealed: it, its lines or its document' end
        from ledger.seal s full join ledger.entry e on e.id = s.entry_id
        where s.entry_id is null or s.digest is distinct from ledger.digest_of(e.id, s.previous)
        order by coalesce(s.entry_id, e.id)""",
    "document": """
        select 'invoice ' || i.number, 'its entry ' || i.entry_id || ' is gone'
        from ledger.invoice i where not exists (select from ledger.entry e where e.id = i.entry_id)
        union all
        select 'reversal ' || r.id, 'its entry ' || r.entry_id || ' is gone'
        from ledger.reversal r where not exists (select from ledger.entry e where e.id = r.entry_id)
        union all
        select 'payout ' || p.id, 'its entry ' || p.entry_id || ' is gone'
        from ledger.payout p where not exists (select from ledger.entry e where e.id = p.entry_id)
        union all
        select 'entry ' || e.id, 'has no ' || e.kind from ledger.entry e
        where e.kind in ('invoice', 'refund', 'chargeback', 'payout')
          and not exists (select from ledger.invoice i where i.entry_id = e.id)
          and not exists (select from ledger.reversal r where r.entry_id = e.id)
          and not exists (select from ledger.payout p where p.entry_id = e.id)""",
    "amount": """
        with posted as (
          select e.id, l.account, sum(l.amount_minor) as amount
          from ledger.entry e join ledger.line l on l.entry_id = e.id group by e.id, l.account
        ), said as (
          select 'invoice ' || i.number as subject, i.entry_id, x.account, x.amount
          from ledger.invoice i cross join lateral (values
            ('provider_payable', i.platform_fee_minor - i.amount_minor),
            ('platform_fee', -i.platform_fee_minor), ('receivable', i.credit_minor),
            ('payment_fee', i.payment_fee_minor)) x (account, amount)
          union all
          select 'reversal ' || r.id, r.entry_id, x.account, x.amount
          from ledger.reversal r cross join lateral (values
            ('provider_payable', r.provider_minor), (r.kind || 's', r.platform_minor),
            ('payment_fee', r.fee_minor)) x (account, amount)
          union all
          select 'payout ' || p.id, p.entry_id, 'provider_payable', p.amount_minor
          from ledger.payout p
        )
        select s.subject, 'says ' || s.amount || ' on ' || s.account || ', its entry '
                          || coalesce(p.amount, 0)
        from said s left join posted p on p.id = s.entry_id and p.account = s.account
        where s.amount <> coalesce(p.amount, 0) order by s.subject""",
    "rate": """
        select 'invoice ' || i.number,
               'keeps ' || i.platform_fee_minor || ' for the platform, not '
               || div(i.amount_minor::numeric * r.basis_points, 10000) || ' as agreed'
        from ledger.invoice i cross join lateral (
          select r.basis_points from ledger.rate r where r.valid_from <= i.paid_at
          order by r.valid_from desc, r.id desc limit 1) r
        where i.platform_fee_minor <> div(i.amount_minor::numeric * r.basis_points, 10000)
        order by i.number""",
    "number": """
        select 'invoices of ' || coalesce(i.year, c.year),
               'there are ' || coalesce(i.made, 0) || ' up to number ' || coalesce(i.last, 0)
               || ', and ' || coalesce(c.last, 0) || ' were counted'
        from (select year, count(*) as made, max(sequence) as last from ledger.invoice
              group by year) i
        full join ledger.invoice_counter c on c.year = i.year
        where (i.made, i.last) is distinct from (c.last::bigint, c.last)""",
    "limit": """
        select 'invoice ' || i.number, sum(r.amount_minor) || ' went back of '
               || i.amount_minor - i.credit_minor || ' paid'
        from ledger.invoice i join ledger.reversal r on r.invoice_number = i.number
        group by i.number having sum(r.amount_minor) > i.amount_minor - i.credit_minor
        order by i.number""",
    "credit": """
        select 'subscriber ' || l.party, 'used more credit than there was: ' || sum(l.amount_minor)
               || ' ' || l.currency
        from ledger.line l where l.account = 'credits'
        group by l.party, l.currency having sum(l.amount_minor) > 0""",
    "payout": """
        select 'provider ' || p.provider_id, to_char(p.month, 'YYYY-MM') || ' is settled '
               || count(*) || ' times in ' || p.currency
        from ledger.payout p group by p.provider_id, p.month, p.currency having count(*) > 1""",
}


def trial_balance(connection: psycopg.Connection[Any], at: datetime) -> TrialBalance:
    """Sum up what happened before `at`, and look at everything.

    Args:
        connection: autocommit, as `signalbox_worker`.
        at: UTC.
    """
    with connection.transaction():
        # One state of the books for all checks, while others go on posting.
        connection.execute("set transaction isolation level repeatable read, read only")
        with connection.cursor(row_factory=class_row(AccountBalance)) as cursor:
            balances = cursor.execute(BALANCES, [at]).fetchall()
        sealed, head = connection.execute(HEAD).fetchone() or (0, "")
        faults = list(_faults(connection))
    return TrialBalance(at=at, balances=balances, sealed=sealed, head=head, faults=faults)


def _faults(connection: psycopg.Connection[Any]) -> Iterator[BookFault]:
    for check, query in CHECKS.items():
        for subject, problem in connection.execute(query):
            yield BookFault(check, subject, problem)
