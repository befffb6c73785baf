"""Logins: sessions, second factors, and what slows down those who guess."""

import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, Instant, Str


class Session(Base):
    __tablename__ = "session"
    __table_args__ = (
        {"schema": "account", "comment": "One login: a family of refresh tokens and its end."},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, comment="family_id of its tokens")
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), index=True, comment="Whose"
    )
    created_at: Mapped[Instant] = mapped_column(comment="When the person signed in")
    last_used_at: Mapped[Instant] = mapped_column(comment="Last login or refresh")
    expires_at: Mapped[Instant] = mapped_column(comment="When its newest refresh token ends")
    ended_at: Mapped[Instant | None] = mapped_column(comment="Its tokens are refused from then on")
    user_agent: Mapped[Str] = mapped_column(comment="As sent, cut; for people")
    network: Mapped[Str] = mapped_column(comment="Address shortened to /24, or /56 of IPv6")
    has_totp: Mapped[bool] = mapped_column(comment="Signed in with a second factor")


class Totp(Base):
    __tablename__ = "totp"
    __table_args__ = (
        CheckConstraint("octet_length(sealed_secret) = 48", name="nonce_secret_and_tag"),
        {"schema": "account", "comment": "Second factors by RFC 6238."},
    )

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"),
        primary_key=True,
        comment="Whose",
    )
    sealed_secret: Mapped[bytes] = mapped_column(
        LargeBinary, comment="AES-256-GCM: nonce, 20 bytes of secret, tag; the row is its AAD"
    )
    created_at: Mapped[Instant] = mapped_column(comment="When it was shown")
    confirmed_at: Mapped[Instant | None] = mapped_column(comment="Asked for from then on")
    last_step: Mapped[int] = mapped_column(
        BigInteger, comment="Newest time step whose code was taken; older ones are refused"
    )


class RecoveryCode(Base):
    __tablename__ = "recovery_code"
    __table_args__ = (
        {"schema": "account", "comment": "Instead of a lost second factor, each once."},
    )

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"),
        primary_key=True,
        comment="Whose",
    )
    code_sha256: Mapped[bytes] = mapped_column(
        LargeBinary, primary_key=True, comment="Of the random code"
    )
    used_at: Mapped[Instant | None] = mapped_column(comment="Refused from then on")


class LoginThrottle(Base):
    __tablename__ = "login_throttle"
    __table_args__ = (
        {"schema": "account", "comment": "Attempts to sign in, per account and where from."},
    )

    account: Mapped[bytes] = mapped_column(
        LargeBinary, primary_key=True, comment="HMAC of the address tried, known or not"
    )
    source: Mapped[Str] = mapped_column(
        primary_key=True, comment="Network or device; empty: all that are not known to the account"
    )
    attempts: Mapped[int] = mapped_column(comment="Counted before the password is looked at")
    last_at: Mapped[Instant] = mapped_column(comment="The newest attempt that was let through")
    blocked_until: Mapped[Instant | None] = mapped_column(comment="Refused before; null: by none")
