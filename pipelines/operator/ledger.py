"""The operator's commands about money: `trial-balance`, `payouts`, `platform-fee`."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, LiteralString

import click
import msgspec
import psycopg
from psycopg.rows import class_row
from sqlalchemy import URL

from assets.usage.trial_balance import trial_balance as held_against_itself
from pipelines.operator.command_list import (
    HOUR,
    Commands,
    home_option,
    installation_at,
    json_option,
)
from pipelines.operator.home import Home, default_root
from sql.clock import end_of_month
from sql.roles import conninfo

commands = Commands()

SETTLE: LiteralString = """
select u.handle as provider, p.currency, p.balance_minor, p.amount_minor, p.carried
from ledger.payouts(%(month)s, %(now)s, %(now)s) p
join account.user_account u on u.id = p.provider_id
order by u.handle, p.currency
"""
DECIDE: LiteralString = """
insert into ledger.rate (basis_points, payout_minimum_minor, valid_from, known_at)
select %(basis_points)s, coalesce(%(minimum)s, newest.payout_minimum_minor), %(now)s, %(now)s
from (select r.payout_minimum_minor from ledger.rate r
      order by r.valid_from desc, r.id desc limit 1) newest
returning payout_minimum_minor
"""


class SettledMonth(msgspec.Struct, frozen=True):
    """One provider's month in one currency, in minor units."""

    provider: str
    currency: str
    balance_minor: int
    amount_minor: int
    carried: str | None


@commands.add(
    click.option("--at", type=HOUR, help="UTC, exclusive; now if not given."),
    json_option, home_option, name="trial-balance",
)  # fmt: skip
def trial_balance(at: datetime | None, *, as_json: bool, root: Path | None) -> None:
    """Every account's balance, and the books held against their seals, documents and numbers.

    Names what is out of place; exits with 1 when there is anything.
    """
    installation = installation_at(root)
    instant = at.replace(tzinfo=UTC) if at else installation.clock()
    with installation.connect() as connection:
        report = held_against_itself(connection, instant)
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        for one in report.balances:
            click.echo(f"{one.account:20} {one.balance_minor:>15} {one.currency}")
        click.echo(f"{report.sealed} entries, head {report.head or 'none'}")
        for fault in report.faults:
            click.echo(f"  {fault.check}: {fault}")
        click.echo(f"{len(report.faults)} faults" if report.faults else "in balance")
    if not report.is_whole:
        raise SystemExit(1)


@commands.add(click.argument("month"), json_option, home_option)
def payouts(month: str, *, as_json: bool, root: Path | None) -> None:
    """Settle MONTH (such as 2026-01) of every provider: each once, however often it is called."""
    first = _month(month)
    installation = installation_at(root)
    if installation.clock() < end_of_month(first):
        raise ValueError(f"{month} is not over; name an earlier month")
    with installation.connect() as connection:
        settled = _settle(connection, first, installation.clock())
    if as_json:
        click.echo(msgspec.json.encode(settled))
        return
    for one in settled:
        done = f"carried over, {one.carried}" if one.carried else "paid"
        owed = one.amount_minor or one.balance_minor
        click.echo(f"{one.provider:20} {owed:>15} {one.currency} {done}")
    click.echo(f"{len(settled)} balances settled" if settled else "nothing was earned")


@commands.add(
    click.argument("basis_points", type=click.IntRange(0, 10_000)),
    click.option("--payout-minimum", "minimum", type=click.IntRange(min=1),
                 help="Minor units below which a balance is carried over; as before if not given."),
    home_option,
)  # fmt: skip
def platform_fee(basis_points: int, minimum: int | None, root: Path | None) -> None:
    """Keep BASIS_POINTS (1/100 %) of every invoice that is paid from now on."""
    home = Home(root or default_root("main"))
    now = installation_at(root).clock()
    held = set_platform_fee(home.owner_url(home.admin()), basis_points, minimum, now)
    click.echo(f"{basis_points / 100:g} % of invoices paid from now on; payouts from {held} on")


def set_platform_fee(owner: URL, basis_points: int, minimum: int | None, now: datetime) -> int:
    """Decide the fee as the owner of the books; no process may.

    Args:
        owner: of role signalbox_owner.
        basis_points: 1/100 % of invoices paid from `now` on.
        minimum: payout minimum in minor units; None: as it is.
        now: the platform's, UTC.

    Returns:
        The payout minimum that holds now.
    """
    with psycopg.connect(conninfo(owner)) as connection:
        values = {"basis_points": basis_points, "minimum": minimum, "now": now}
        row = connection.execute(DECIDE, values).fetchone()
        connection.execute(
            "insert into audit.event (at, actor_id, action, subject, detail)"
            " values (%s, null, 'ledger.platform_fee', %s, '{}')",
            [now, f"{basis_points} basis points"],
        )
    return int(row[0]) if row else 0


def _settle(connection: psycopg.Connection[Any], month: date, now: datetime) -> list[SettledMonth]:
    with connection.transaction():
        with connection.cursor(row_factory=class_row(SettledMonth)) as cursor:
            settled = cursor.execute(SETTLE, {"month": month, "now": now}).fetchall()
        connection.execute(
            "insert into audit.event (at, actor_id, action, subject, detail)"
            " values (%s, null, 'payouts.run', %s, '{}')",
            [now, f"{month:%Y-%m}"],
        )
    return settled


def _month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        raise ValueError(f"{text!r} is no month; write it such as 2026-01") from None
