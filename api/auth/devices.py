"""Device tokens: a device on which somebody signed in before is known again.

They open nothing. They tell the person at their own device from the strangers who
guess, so that those cannot make them wait.
"""

import uuid
from datetime import datetime, timedelta

from api.auth import access_tokens

AUDIENCE = "signalbox-device"
LIFETIME = timedelta(days=180)


def issue(secret: bytes, user_id: uuid.UUID, now: datetime) -> str:
    return access_tokens.issue(
        secret, user_id, now, AUDIENCE, session_id=uuid.uuid4(), lifetime=LIFETIME
    )


def source(secret: bytes, token: str | None, user_id: uuid.UUID, now: datetime) -> str | None:
    """The device, as what attempts are counted by; None: it is not one of this person's."""
    if token is None:
        return None
    try:
        owner_id, device_id = access_tokens.verify_session(secret, token, now, AUDIENCE)
    except access_tokens.InvalidTokenError:
        return None
    return f"device {device_id}" if owner_id == user_id else None
