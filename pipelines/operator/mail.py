"""The operator's view of the outbox: what waits and what it says, what failed and why."""

import uuid
from datetime import datetime
from pathlib import Path

import click
import msgspec
import psycopg
from psycopg.rows import dict_row

from pipelines.operator.command_list import Commands, home_option, json_option
from pipelines.operator.house import owner_at
from sql.roles import conninfo

commands = Commands()

OUTBOX = """
select id, kind, address, subject, text, created_at, sent_at, attempts, last_error, next_attempt_at
from account.mail where %(to)s::text is null or address = lower(%(to)s)
order by created_at, id
"""


class OutboxLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `account.mail`; `text` is blank once it was delivered."""

    id: uuid.UUID
    kind: str
    address: str
    subject: str
    text: str
    created_at: datetime
    sent_at: datetime | None
    attempts: int
    last_error: str | None
    next_attempt_at: datetime | None

    @property
    def state(self) -> str:
        if self.sent_at is not None:
            return f"sent {self.sent_at:%Y-%m-%d %H:%M} UTC"
        if self.next_attempt_at is None:
            return f"given up: {self.last_error}"
        if self.attempts:
            return f"waits after {self.attempts} attempts: {self.last_error}"
        return "waits"


@commands.add(
    click.option("--to", "address", help="Only what goes to this address."),
    json_option, home_option, name="mail",
)  # fmt: skip
def show_mail(address: str | None, *, as_json: bool, root: Path | None) -> None:
    """Every letter of the outbox, oldest first, with its text while it waits.

    Without SIGNALBOX_SMTP_URL letters stay here: pass on what people need. Texts hold links that
    set passwords: be sure who asks.
    """
    with (
        psycopg.connect(conninfo(owner_at(root))) as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        cursor.execute(OUTBOX, {"to": address})
        found = [msgspec.convert(row, OutboxLetter) for row in cursor]
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for letter in found:
        click.echo(
            f"{letter.created_at:%Y-%m-%d %H:%M} UTC  {letter.address or '(erased)'}"
            f"  {letter.subject}  [{letter.state}]"
        )
        for line in letter.text.splitlines():
            click.echo(f"    {line}".rstrip())
    click.echo(f"{len(found)} letters")
