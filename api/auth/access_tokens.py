"""Access tokens: HS256 JWTs of ten minutes, each of one session.

Passes for other purposes are the same JWTs of another audience, without a session.
"""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

import jwt
import msgspec

LIFETIME = timedelta(minutes=10)
ISSUER = "signalbox"
AUDIENCE = "signalbox-api"
DAGSTER = "signalbox-dagster"
"""The audience of passes for the door before Dagster, which open nothing of the API."""


class InvalidTokenError(ValueError):
    """A token is forged, of another kind, or past its time."""


class Claims(msgspec.Struct, frozen=True):
    """`sid` is the session, or whatever else a pass is bound to."""

    iss: str
    aud: str
    sub: uuid.UUID
    iat: int
    exp: int
    sid: uuid.UUID | None = None


def issue(
    secret: bytes,
    user_id: uuid.UUID,
    now: datetime,
    audience: str = AUDIENCE,
    *,
    session_id: uuid.UUID | None = None,
    lifetime: timedelta = LIFETIME,
) -> str:
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "sub": str(user_id),
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    if session_id is not None:
        claims["sid"] = str(session_id)
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": key_id(secret)})


def verify(secret: bytes, token: str, now: datetime, audience: str = AUDIENCE) -> uuid.UUID:
    """Whose token it is.

    Raises:
        InvalidTokenError: it is not one of ours for this audience, or has expired.
    """
    return _claims(secret, token, now, audience).sub


def verify_session(
    secret: bytes, token: str, now: datetime, audience: str = AUDIENCE
) -> tuple[uuid.UUID, uuid.UUID]:
    """Whose token it is, and of which session; whether that goes on is not known here.

    Raises:
        InvalidTokenError: as `verify`, or it names no session and so could never be ended.
    """
    shown = session_claims(secret, token, now, audience)
    return shown.user_id, shown.session_id


class Shown(msgspec.Struct, frozen=True):
    """What an access token says; it is refused from `expires_at` on."""

    user_id: uuid.UUID
    session_id: uuid.UUID
    expires_at: datetime


def session_claims(secret: bytes, token: str, now: datetime, audience: str = AUDIENCE) -> Shown:
    """As `verify_session`, and until when it is good.

    Raises:
        InvalidTokenError: as `verify_session`.
    """
    claims = _claims(secret, token, now, audience)
    if claims.sid is None:
        raise InvalidTokenError("names no session")
    return Shown(claims.sub, claims.sid, datetime.fromtimestamp(claims.exp, UTC))


def _claims(secret: bytes, token: str, now: datetime, audience: str) -> Claims:
    try:
        if jwt.get_unverified_header(token).get("kid") != key_id(secret):
            raise InvalidTokenError("signed with a key that is not in use")
        # Only the signature is the library's business: time is judged by `now` below.
        payload = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=audience,
            issuer=ISSUER,
            options={"verify_exp": False, "verify_iat": False, "require": ["exp", "sub"]},
        )
        claims = msgspec.convert(payload, Claims)
    except (jwt.PyJWTError, msgspec.ValidationError) as error:
        raise InvalidTokenError(str(error)) from None
    if claims.exp <= now.timestamp():
        raise InvalidTokenError("expired")
    return claims


def key_id(secret: bytes) -> str:
    """Names the secret without telling it."""
    return hashlib.sha256(b"signalbox kid\0" + secret).hexdigest()[:12]
