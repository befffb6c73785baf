"""Signed pushes: a certificate counts only for a key that its provider registered.

Git checks the signature and the nonce and reports; it declines nothing. To git an
unknown SSH key that signs correctly is good (`G`), and so is a nonce that somebody
else may have seen long ago: both are judged here. An unsigned push stays allowed;
its API key says who pushes.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from sandbox.registry.errors import RefusedError

SIGNATURE_IS_GOOD = "G"
NONCE_IS_FRESH = "OK"


@dataclass(frozen=True)
class Certificate:
    """What git says of a push's certificate; `blob` is the object that holds it."""

    blob: str
    status: str
    fingerprint: str
    nonce_status: str


def certificate(environment: Mapping[str, str]) -> Certificate | None:
    """The certificate of this push, from the environment of its hook; None: unsigned."""
    blob = environment.get("GIT_PUSH_CERT", "")
    if not blob:
        return None
    return Certificate(
        blob=blob,
        status=environment.get("GIT_PUSH_CERT_STATUS", ""),
        fingerprint=environment.get("GIT_PUSH_CERT_KEY", ""),
        nonce_status=environment.get("GIT_PUSH_CERT_NONCE_STATUS", ""),
    )


def judge_certificate(
    connection: psycopg.Connection[Any], shown: Certificate, user_id: uuid.UUID
) -> None:
    """Take a certificate of a registered key with a fresh nonce.

    Raises:
        RefusedError: any other.
    """
    if shown.status != SIGNATURE_IS_GOOD:
        raise RefusedError(
            "the push's signature does not hold: sign with an SSH key"
            " (git config gpg.format ssh), or push unsigned"
        )
    registered = connection.execute(
        "select 1 from account.signing_key"
        " where user_id = %s and fingerprint = %s and revoked_at is null",
        [user_id, shown.fingerprint],
    ).fetchone()
    if registered is None:
        raise RefusedError(
            f"the push is signed by {shown.fingerprint}, which is not one of your keys:"
            " register it by POST /v1/signing-keys, or push unsigned"
        )
    if shown.nonce_status != NONCE_IS_FRESH:
        raise RefusedError(
            f"the push's certificate is not fresh ({shown.nonce_status.lower()}): push again"
        )
