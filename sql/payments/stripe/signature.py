"""Stripe's webhook signatures: `t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, "<t>.<body>")>`.

Several `v1` stand side by side while a secret is being exchanged, and `v0` is of test tools.
"""

import hashlib
import hmac
import re
from datetime import datetime

from sql.payments.errors import SignatureError

TOLERANCE_SECONDS = 300
PART = re.compile(r"(t)=([0-9]{1,12})|(v1)=([0-9a-f]{64})|v0=[0-9a-f]*")


def demand_signed(secret: bytes, header: str | None, body: bytes, now: datetime) -> None:
    """Refuse what was not signed with the secret in the last five minutes.

    Raises:
        SignatureError: also for a time five minutes ahead: who can date forward can keep a
            signature for later.
    """
    stamps, signatures = _parts(header or "")
    if len(stamps) != 1 or not signatures:
        raise SignatureError("Send Stripe-Signature: t=<unix seconds>,v1=<hex>.")
    (stamp,) = stamps
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise SignatureError("Sign anew: t is more than five minutes off our clock.")
    expected = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not any(hmac.compare_digest(expected, one) for one in signatures):
        raise SignatureError("The signature is not one of this endpoint's secret.")


def _parts(header: str) -> tuple[list[str], list[str]]:
    stamps, signatures = [], []
    for part in header.split(","):
        found = PART.fullmatch(part.strip())
        if found is None:
            return [], []
        if found[1]:
            stamps.append(found[2])
        elif found[3]:
            signatures.append(found[4])
    return stamps, signatures
