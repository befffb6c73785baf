"""Letters to people, and the single-use tokens that some of them carry."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, Instant, Str


class Mail(Base):
    __tablename__ = "mail"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        Index("mail_due", "next_attempt_at", postgresql_where=text("sent_at is null")),
        {"schema": "account", "comment": "Outbox of letters, put in the transaction of the act."},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, comment="Random; in the Message-ID")
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), index=True, comment="Whose"
    )
    kind: Mapped[Str] = mapped_column(comment="Such as confirm_email; see docs/operations")
    address: Mapped[Str] = mapped_column(comment="Where to; empty once the account is deleted")
    subject: Mapped[Str] = mapped_column(comment="One line")
    text: Mapped[Str] = mapped_column(comment="Plain text, may hold a token; blank once delivered")
    created_at: Mapped[Instant] = mapped_column(comment="When it was put, by the platform's clock")
    sent_at: Mapped[Instant | None] = mapped_column(comment="When the mail server took it")
    attempts: Mapped[int] = mapped_column(comment="Deliveries that failed")
    last_error: Mapped[Str | None] = mapped_column(comment="Why the last one failed")
    next_attempt_at: Mapped[Instant | None] = mapped_column(comment="Not before; null: given up")


class MailToken(Base):
    __tablename__ = "mail_token"
    __table_args__ = (
        CheckConstraint(
            "purpose in ('confirm_email', 'reset_password', 'change_email')", name="purpose_known"
        ),
        {"schema": "account", "comment": "Single-use tokens of letters, by their sha256 only."},
    )

    token_sha256: Mapped[bytes] = mapped_column(
        LargeBinary, primary_key=True, comment="Of the random token"
    )
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), index=True, comment="Whose"
    )
    purpose: Mapped[Str] = mapped_column(comment="confirm_email, reset_password or change_email")
    email: Mapped[Str] = mapped_column(comment="Address that it was sent to, which it proves")
    created_at: Mapped[Instant] = mapped_column(comment="When it was made")
    expires_at: Mapped[Instant] = mapped_column(comment="Refused from then on")
    used_at: Mapped[Instant | None] = mapped_column(comment="When it was used, or taken back")
