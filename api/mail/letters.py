"""Our letters: a template per kind, its first line the subject, the rest the text.

Links carry their token behind `#`: browsers send that part to no server, so it is
in no access log and no Referer.
"""

import string
import uuid
from pathlib import Path
from typing import Literal

import psycopg

from api.installation import Context
from api.mail import outbox

TEMPLATES = Path(__file__).parent / "templates"

Kind = Literal[
    "confirm_email",
    "reset_password",
    "password_changed",
    "change_email",
    "email_change_asked",
    "email_changed",
    "totp_enabled",
    "totp_disabled",
    "recovery_code_used",
]


async def write(
    connection: psycopg.AsyncConnection,
    context: Context,
    kind: Kind,
    user_id: uuid.UUID,
    handle: str,
    *,
    address: str | None = None,
    token: str | None = None,
    left: int | None = None,
) -> None:
    """Put a letter of ours into the outbox.

    Args:
        connection: with the act's transaction open.
        context: of the request that acts.
        kind: names the template.
        user_id: whom.
        handle: how they are addressed.
        address: where to, if not the account's own address.
        token: for the link, in kinds that have one.
        left: recovery codes, in the kind that tells.
    """
    api_url = context.settings.api_url
    link = f"{api_url}/account/link#{kind}={token}"
    values = {"handle": handle, "api_url": api_url, "link": link, "left": str(left)}
    subject, text = render(kind, values)
    await outbox.put(connection, context.now, user_id, kind, subject, text, address)


def render(kind: Kind, values: dict[str, str]) -> tuple[str, str]:
    """Subject and text.

    Raises:
        KeyError: the template names what `values` lacks.
    """
    template = (TEMPLATES / f"{kind}.txt").read_text()
    subject, _, text = string.Template(template).substitute(values).partition("\n")
    return subject, text.lstrip("\n")
