"""By what we know again who had a trial: the e-mail address, without keeping it.

The mark outlives the account. It is an HMAC, so that whoever reads the table cannot try
addresses; with the installation's secret lost or changed, old marks match nobody.
"""

import hashlib
import hmac

DOTLESS = ("gmail.com", "googlemail.com")


def email_mark(secret: bytes, email: str) -> bytes:
    """32 bytes that are the same for every spelling of one mailbox."""
    return hmac.new(secret, b"trial/v1\0" + mailbox(email).encode(), hashlib.sha256).digest()


def mailbox(email: str) -> str:
    """An address without what its owner may vary.

    >>> mailbox("Eve.Example+second@GoogleMail.com")
    'eveexample@gmail.com'
    >>> mailbox("eve.example+second@example.org")
    'eve.example@example.org'
    """
    name, _, domain = email.strip().lower().rpartition("@")
    name = name.partition("+")[0]
    if domain in DOTLESS:
        name, domain = name.replace(".", ""), DOTLESS[0]
    return f"{name}@{domain}"
