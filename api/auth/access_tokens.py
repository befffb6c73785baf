"""Access tokens: HS256 JWTs of ten minutes."""

import hashlib
import uuid
from datetime import datetime, timedelta

import jwt
import msgspec

LIFETIME = timedelta(minutes=10)
ISSUER = "signalbox"
AUDIENCE = "signalbox-api"


class InvalidTokenError(ValueError):
    """A token is forged, of another kind, or past its time."""


class Claims(msgspec.Struct, frozen=True):
    iss: str
    aud: str
    sub: uuid.UUID
    iat: int
    exp: int


def issue(secret: bytes, user_id: uuid.UUID, now: datetime, audience: str = AUDIENCE) -> str:
    return jwt.encode(
        {
            "iss": ISSUER,
            "aud": audience,
            "sub": str(user_id),
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        },
        secret,
        algorithm="HS256",
        headers={"kid": key_id(secret)},
    )


def verify(secret: bytes, token: str, now: datetime, audience: str = AUDIENCE) -> uuid.UUID:
    """Whose token it is.

    Raises:
        InvalidTokenError: it is not one of ours for this audience, or has expired.
    """
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
    return claims.sub


def key_id(secret: bytes) -> str:
    """Names the secret without telling it."""
    return hashlib.sha256(b"signalbox kid\0" + secret).hexdigest()[:12]
