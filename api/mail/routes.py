"""GET /v1/mail: in a demonstration, what would have been sent to whoever asks.

In production letters go to a mailbox and nowhere else: a stolen access token must
not read the link that sets a new password.
"""

import uuid
from datetime import datetime

import msgspec
from litestar import get

from api.auth.guards import signed_in
from api.installation import RequestContext
from api.pages import Page
from api.problems import Problem
from api.rows import fetch_all

NEWEST = 100


class Mail(msgspec.Struct, frozen=True):
    """`text` is blank once the letter is delivered."""

    id: uuid.UUID
    kind: str
    address: str
    subject: str
    text: str
    created_at: datetime
    sent_at: datetime | None


@get("/v1/mail", guards=[signed_in()], tags=["account"])
async def list_mail(context: RequestContext) -> Page[Mail]:
    """The newest hundred letters to you, newest first; in demonstrations and tests only."""
    if context.settings.is_production:
        raise Problem("not_found", "Look into your mailbox: mail is shown in demonstrations only.")
    async with context.transaction() as connection:
        return Page(
            await fetch_all(
                connection,
                Mail,
                "select id, kind, address, subject, text, created_at, sent_at from account.mail"
                " where user_id = %s order by created_at desc, id limit %s",
                [context.person.user_id, NEWEST],
            )
        )
