"""Hand one letter to a mail server.

`smtps://` is TLS from the first byte; `smtp://` takes STARTTLS where the server
offers it. A password is shown to nobody without TLS but to this machine itself.
"""

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from api.settings import ApiSettings
from sql.configuration import ConfigurationError

TIMEOUT_SECONDS = 10
PORTS = {"smtp": 587, "smtps": 465}
THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
PERMANENT = 500


class RefusedLetterError(Exception):
    """The server will never take this letter for this person; trying again is no use."""


@dataclass(frozen=True)
class MailServer:
    """Where letters are handed in, and in whose name."""

    host: str
    port: int
    is_tls: bool
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Letter:
    """A letter on its way; `message_id` is the same each time it is tried."""

    message_id: str
    address: str
    subject: str
    text: str = field(repr=False)
    written_at: datetime


def mail_server(settings: ApiSettings) -> MailServer | None:
    """The server that the settings name; None where mail stays in the outbox.

    Raises:
        ConfigurationError: an address that is none, no sender, a password without its file.
    """
    if settings.smtp_url is None:
        return None
    parts = urlsplit(settings.smtp_url)
    if parts.scheme not in PORTS or not parts.hostname or parts.password is not None:
        raise ConfigurationError(
            "SIGNALBOX_SMTP_URL: write smtp[s]://user@host:port;"
            " the password stands in the file of SIGNALBOX_SMTP_PASSWORD_FILE"
        )
    if settings.mail_from is None:
        raise ConfigurationError("SIGNALBOX_MAIL_FROM is not set: in whose name is mail sent?")
    return MailServer(
        host=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        is_tls=parts.scheme == "smtps",
        sender=settings.mail_from,
        user=unquote(parts.username) if parts.username else None,
        password=_password(settings, parts.username),
    )


def _password(settings: ApiSettings, user: str | None) -> str | None:
    if not user:
        return None
    path = Path(settings.smtp_password_file or "")
    if not path.is_file():
        raise ConfigurationError(
            f"SIGNALBOX_SMTP_PASSWORD_FILE: no file {path}, which holds the password of {user}"
        )
    return path.read_text().strip()


def send(server: MailServer, letter: Letter) -> None:
    """Hand a letter in. Blocks; call it in a thread.

    Raises:
        RefusedLetterError: never again.
        OSError: not now; `smtplib.SMTPException` is one, too.
    """
    try:
        message = _message(server, letter)
        with _connected(server) as connection:
            connection.send_message(message, server.sender, [letter.address])
    except smtplib.SMTPRecipientsRefused as error:
        code, said = error.recipients[letter.address]
        raise _refusal(code, said) from None
    except smtplib.SMTPDataError as error:
        raise _refusal(error.smtp_code, error.smtp_error) from None
    except (ValueError, MessageError, smtplib.SMTPNotSupportedError) as error:
        raise RefusedLetterError(f"not an address that mail goes to: {error}") from None


def _refusal(code: int, said: bytes | str) -> Exception:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    if code >= PERMANENT:
        return RefusedLetterError(f"{code} {text}")
    return OSError(f"{code} {text}")


def _message(server: MailServer, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["From"] = server.sender
    message["To"] = letter.address
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def _connected(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.is_tls:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    try:
        has_tls = server.is_tls or _start_tls(connection, context)
        if server.user is not None and server.password is not None:
            _demand_tls(server, has_tls=has_tls)
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _demand_tls(server: MailServer, *, has_tls: bool) -> None:
    if not has_tls and server.host not in THIS_MACHINE:
        raise smtplib.SMTPException("no TLS, so the password was not shown: use smtps://")


def _start_tls(connection: smtplib.SMTP, context: ssl.SSLContext) -> bool:
    connection.ehlo_or_helo_if_needed()
    if not connection.has_extn("starttls"):
        return False
    connection.starttls(context=context)
    connection.ehlo_or_helo_if_needed()
    return True
