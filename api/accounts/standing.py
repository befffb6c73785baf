"""Who may spend money or publish: whose address is confirmed and who accepted the terms.

Both are asked for here and nowhere else, in the transaction of the act.
"""

from typing import Literal, LiteralString

import msgspec
import psycopg

from api.installation import Context, not_signed_in
from api.problems import Problem
from api.rows import fetch_one

FOUND: LiteralString = """
select u.email_confirmed_at is not null as email_confirmed,
       exists (select from account.terms_acceptance t
               where t.user_id = u.id and t.version = %(version)s) as terms_accepted
from account.user_account u where u.id = %(user_id)s and u.deleted_at is null
"""
# The account is not deleted between the question and the act.
HELD: LiteralString = FOUND + " for key share of u"

Standing = Literal["good", "email_unconfirmed", "terms_not_accepted"]


class Found(msgspec.Struct, frozen=True):
    email_confirmed: bool
    terms_accepted: bool


async def standing(connection: psycopg.AsyncConnection, context: Context) -> Standing:
    """Of who asks: `good`, or the code of the problem that stands in the way."""
    return await _standing(connection, context, FOUND)


async def _standing(
    connection: psycopg.AsyncConnection, context: Context, query: LiteralString
) -> Standing:
    settings = context.settings
    values = {"user_id": context.person.user_id, "version": settings.terms_version}
    found = await fetch_one(connection, Found, query, values)
    if found is None:
        raise not_signed_in()
    if settings.email_must_be_confirmed and not found.email_confirmed:
        return "email_unconfirmed"
    if settings.terms_version and not found.terms_accepted:
        return "terms_not_accepted"
    return "good"


async def demand_good_standing(connection: psycopg.AsyncConnection, context: Context) -> None:
    """Let only those act who may.

    Raises:
        Problem: email_unconfirmed or terms_not_accepted; not_signed_in, the account is gone.
    """
    found = await _standing(connection, context, HELD)
    if found == "email_unconfirmed":
        raise Problem(
            "email_unconfirmed",
            "Open the link in the letter we sent you; POST /v1/auth/confirm/resend sends another.",
        )
    if found == "terms_not_accepted":
        version = context.settings.terms_version
        raise Problem(
            "terms_not_accepted",
            f"Read the terms of service and accept them by POST /v1/account/terms"
            f' {{"version": "{version}"}}.',
        )
