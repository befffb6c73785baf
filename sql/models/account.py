"""People, and the secrets by which they are known."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, Instant, Str


class UserAccount(Base):
    __tablename__ = "user_account"
    __table_args__ = (
        CheckConstraint("handle ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'", name="handle_form"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        CheckConstraint("role in ('member', 'operator')", name="role_known"),
        {"schema": "account", "comment": "A person; every person may provide and subscribe."},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, comment="Random, never reused")
    handle: Mapped[Str] = mapped_column(unique=True, comment="First half of provider/name")
    email: Mapped[Str] = mapped_column(unique=True, comment="Lower case")
    password_hash: Mapped[Str] = mapped_column(comment="argon2id, PHC string")
    role: Mapped[Str] = mapped_column(comment="member, or operator of this installation")
    created_at: Mapped[Instant] = mapped_column(comment="When the account was registered")
    email_confirmed_at: Mapped[Instant | None] = mapped_column(
        comment="When a token sent to the address came back"
    )
    deleted_at: Mapped[Instant | None] = mapped_column(
        comment="When the person left; the handle stays used"
    )


class TermsAcceptance(Base):
    __tablename__ = "terms_acceptance"
    __table_args__ = (
        {"schema": "account", "comment": "Who accepted which terms of service; insert-only."},
    )

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"),
        primary_key=True,
        comment="Who",
    )
    version: Mapped[Str] = mapped_column(primary_key=True, comment="SIGNALBOX_TERMS_VERSION then")
    accepted_at: Mapped[Instant] = mapped_column(comment="When")


class ApiKey(Base):
    __tablename__ = "api_key"
    __table_args__ = ({"schema": "account", "comment": "A machine's secret, by its sha256 only."},)

    id: Mapped[Str] = mapped_column(primary_key=True, comment="Public half, shown in lists")
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), index=True, comment="Owner"
    )
    name: Mapped[Str] = mapped_column(comment="What the owner calls it")
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary, comment="Of the random secret")
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="read, push")
    created_at: Mapped[Instant] = mapped_column(comment="When it was made")
    expires_at: Mapped[Instant | None] = mapped_column(comment="Refused from then on")
    revoked_at: Mapped[Instant | None] = mapped_column(comment="Refused from then on")
    last_used_at: Mapped[Instant | None] = mapped_column(comment="To the minute")


class PushSigningKey(Base):
    __tablename__ = "signing_key"
    __table_args__ = (
        Index(
            "signing_key_one_valid",
            "user_id",
            "fingerprint",
            unique=True,
            postgresql_where=text("revoked_at is null"),
        ),
        CheckConstraint("fingerprint ~ '^SHA256:[A-Za-z0-9+/]{43}$'", name="fingerprint_form"),
        {"schema": "account", "comment": "SSH keys whose signature of a push counts."},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, comment="Random")
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), comment="Owner"
    )
    name: Mapped[Str] = mapped_column(comment="What the owner calls it")
    public_key: Mapped[Str] = mapped_column(comment="OpenSSH form: type and base64, no comment")
    fingerprint: Mapped[Str] = mapped_column(comment="SHA256:..., as ssh-keygen -l shows it")
    created_at: Mapped[Instant] = mapped_column(comment="When it was registered")
    revoked_at: Mapped[Instant | None] = mapped_column(comment="Refused from then on")


class RefreshToken(Base):
    __tablename__ = "refresh_token"
    __table_args__ = (
        {"schema": "account", "comment": "Rotating refresh tokens; a reused one ends its family."},
    )

    token_sha256: Mapped[bytes] = mapped_column(
        LargeBinary, primary_key=True, comment="Of the random token"
    )
    family_id: Mapped[uuid.UUID] = mapped_column(index=True, comment="One login")
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), index=True, comment="Owner"
    )
    issued_at: Mapped[Instant] = mapped_column(comment="When it was handed out")
    expires_at: Mapped[Instant] = mapped_column(comment="Refused from then on")
    used_at: Mapped[Instant | None] = mapped_column(comment="When it was exchanged")
    revoked_at: Mapped[Instant | None] = mapped_column(comment="When its family ended")
