"""Time-stamps of others over checkpoints, by RFC 3161: an option beside cosigners.

A time-stamping authority signs the hash of a checkpoint's note and its own time. It
knows nothing of logs, so it cannot see whether the log kept its rules; but it dates
the note for whoever trusts it, and for long after the log's keys are gone. What it
signed is kept whole and checked again at every reading.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response
from rfc3161_client.errors import VerificationError

SECONDS = 20.0
MAX_TOKEN_BYTES = 64 * 1024
NEWEST = """
select c.id, c.note, exists (select from transparency.anchor a where a.checkpoint_id = c.id)
from transparency.quorum q join transparency.checkpoint c on c.id = q.checkpoint_id
order by q.checkpoint_id desc limit 1
"""
INSERT = """
insert into transparency.anchor (checkpoint_id, kind, authority, token, stamped_at, received_at)
values (%s, 'rfc3161', %s, %s, %s, %s)
"""
ALL = """
select a.id, c.size, a.authority, a.stamped_at, a.token, c.note from transparency.anchor a
join transparency.checkpoint c on c.id = a.checkpoint_id order by a.id
"""


class AnchorError(ValueError):
    """A time-stamp does not hold, or the authority did not give one."""


@dataclass(frozen=True)
class Authority:
    """Whom to ask, and whose certificates to believe."""

    url: str
    roots: tuple[Certificate, ...]


@dataclass(frozen=True)
class Anchor:
    """One stored time-stamp; `fault`: why it does not hold, None where it does."""

    size: int
    authority: str
    stamped_at: datetime
    fault: str | None


def read_roots(path: Path) -> tuple[Certificate, ...]:
    """Certificates of the authorities to believe, from a PEM file.

    Raises:
        ValueError: it holds none.
    """
    return tuple(load_pem_x509_certificates(path.read_bytes()))


def anchor_newest(
    connection: psycopg.Connection[Any], authority: Authority, now: datetime
) -> datetime | None:
    """Have the newest proven checkpoint stamped, and keep the stamp.

    Returns its time; None where there is no checkpoint, or it has a stamp already.

    Args:
        connection: as `signalbox_log`.
        authority: asked over HTTP.
        now: UTC.

    Raises:
        AnchorError: no time-stamp came, or it does not hold.
    """
    row = connection.execute(NEWEST).fetchone()
    if row is None:
        return None
    id_, note, is_anchored = row
    if is_anchored:
        return None
    token = _ask(authority, note)
    stamped_at = check(token, note, authority.roots)
    connection.execute(INSERT, [id_, authority.url, token, stamped_at, now])
    return stamped_at


def check(token: bytes, note: bytes, roots: Sequence[Certificate]) -> datetime:
    """When a note was stamped, by the word of a certificate under one of the roots; UTC.

    Raises:
        AnchorError: the stamp is malformed, of another note, or by somebody else.
    """
    if not roots:
        raise AnchorError("no certificate to believe: set SIGNALBOX_LOG_TSA_ROOTS")
    try:
        response = decode_timestamp_response(token)
        VerifierBuilder(roots=list(roots)).build().verify_message(response, note)
    except (ValueError, VerificationError) as error:
        raise AnchorError(f"the time-stamp does not hold: {error}") from error
    return response.tst_info.gen_time.astimezone(UTC)


def anchors(connection: psycopg.Connection[Any], roots: Sequence[Certificate]) -> Iterator[Anchor]:
    """Every stored time-stamp, checked anew, oldest first."""
    for _, size, authority, stamped_at, token, note in connection.execute(ALL):
        fault = None
        try:
            if check(token, note, roots) != stamped_at:
                fault = "its time is not the one that was noted"
        except AnchorError as error:
            fault = str(error)
        yield Anchor(size, authority, stamped_at, fault)


def _ask(authority: Authority, note: bytes) -> bytes:
    request = TimestampRequestBuilder().data(note).cert_request(cert_request=True).build()
    headers = {"Content-Type": "application/timestamp-query"}
    try:
        answer = httpx.post(
            authority.url, content=request.as_bytes(), headers=headers, timeout=SECONDS
        )
    except httpx.HTTPError as error:
        raise AnchorError(f"{authority.url} does not answer: {error}") from error
    if answer.status_code != httpx.codes.OK or len(answer.content) > MAX_TOKEN_BYTES:
        raise AnchorError(
            f"{authority.url} answers {answer.status_code} with {len(answer.content)} bytes"
        )
    return answer.content
