"""What became of subscriptions and payments, and what is proposed to subscribers."""

import uuid

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, BigId, Instant, Json, Str


class SubscriptionEvent(Base):
    __tablename__ = "subscription_event"
    __table_args__ = (
        {"schema": "billing", "comment": "Every change of a subscription's state; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    subscription_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("billing.subscription.id", ondelete="restrict"), index=True, comment="Whose"
    )
    happened_at: Mapped[Instant] = mapped_column(comment="When the state came about")
    known_at: Mapped[Instant] = mapped_column(comment="When we learnt of it")
    from_state: Mapped[Str | None] = mapped_column(comment="Null: it was opened")
    to_state: Mapped[Str] = mapped_column(comment="See docs/glossary.md")
    why: Mapped[Str] = mapped_column(comment="What brought it about")
    actor_id: Mapped[uuid.UUID | None] = mapped_column(comment="Whose act; null: nobody's")


class Outbox(Base):
    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_order", "xid", "id"),
        {"schema": "billing", "comment": "What people and machines are told; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion, not of commit")
    xid: Mapped[int] = mapped_column(
        BigInteger,
        server_default=text("(pg_current_xact_id()::text)::bigint"),
        comment="Transaction; with it a cursor misses no row that commits late",
    )
    at: Mapped[Instant] = mapped_column(comment="When we knew")
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"),
        index=True,
        comment="Whom to tell",
    )
    subscription_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("billing.subscription.id", ondelete="restrict"), index=True, comment="Of what"
    )
    kind: Mapped[Str] = mapped_column(comment="subscription.active, payment.failed, ...")
    detail: Mapped[Json] = mapped_column(comment="What there is to tell; no secret")


class TrialMark(Base):
    __tablename__ = "trial_mark"
    __table_args__ = (
        CheckConstraint("kind in ('user', 'email', 'card')", name="kind_known"),
        CheckConstraint("octet_length(digest) = 32", name="digest_is_a_hash"),
        {"schema": "billing", "comment": "Who had a signal's trial, by digests; insert-only."},
    )

    signal_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("registry.signal.id", ondelete="restrict"),
        primary_key=True,
        comment="Trial of what",
    )
    kind: Mapped[Str] = mapped_column(primary_key=True, comment="user, email or card")
    digest: Mapped[bytes] = mapped_column(
        LargeBinary, primary_key=True, comment="Of account, normalised e-mail or card"
    )
    subscription_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("billing.subscription.id", ondelete="restrict"), comment="The trial"
    )
    at: Mapped[Instant] = mapped_column(comment="When it began")


class Payment(Base):
    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("provider", "reference"),
        CheckConstraint("kind in ('paid', 'refund', 'chargeback')", name="kind_known"),
        CheckConstraint("amount_minor >= 0", name="not_negative"),
        {"schema": "billing", "comment": "Money that moved, each once; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    provider: Mapped[Str] = mapped_column(comment="manual, stripe")
    reference: Mapped[Str] = mapped_column(comment="The provider's id of invoice, refund, dispute")
    kind: Mapped[Str] = mapped_column(comment="paid, refund or chargeback")
    subscription_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("billing.subscription.id", ondelete="restrict"), index=True, comment="For what"
    )
    paid_reference: Mapped[Str | None] = mapped_column(
        index=True, comment="Of refund and chargeback: which payment they take back"
    )
    invoice: Mapped[Str | None] = mapped_column(comment="Number in the ledger; null: nothing due")
    amount_minor: Mapped[int] = mapped_column(
        BigInteger, comment="That moved, in cents; credit is not in it"
    )
    currency: Mapped[Str] = mapped_column(comment="ISO 4217")
    period_start: Mapped[Instant] = mapped_column(comment="Paid from, inclusive")
    period_end: Mapped[Instant] = mapped_column(comment="Paid until, exclusive")
    gave_access: Mapped[bool] = mapped_column(
        comment="False: the subscription was over, and the payment is to be refunded"
    )
    happened_at: Mapped[Instant] = mapped_column(comment="When the money moved")
    known_at: Mapped[Instant] = mapped_column(comment="When we learnt of it")


class AppliedEvent(Base):
    __tablename__ = "applied_event"
    __table_args__ = (
        {"schema": "billing", "comment": "Events of the inbox that had their turn; insert-only."},
    )

    event_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("billing.payment_event.id", ondelete="restrict"),
        primary_key=True,
        autoincrement=False,
        comment="Which event",
    )
    at: Mapped[Instant] = mapped_column(comment="When")
    effects: Mapped[Json] = mapped_column(comment="What it said, as read anew from the provider")
    had_effect: Mapped[bool] = mapped_column(comment="False: all of it was known, or too late")


class Reconciliation(Base):
    __tablename__ = "reconciliation"
    __table_args__ = (
        {"schema": "billing", "comment": "Comparisons with a payment provider; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    provider: Mapped[Str] = mapped_column(comment="stripe")
    since: Mapped[Instant] = mapped_column(comment="Objects made from then on were compared")
    until: Mapped[Instant] = mapped_column(comment="When it was")
    compared: Mapped[int] = mapped_column(comment="Objects")
    lost: Mapped[int] = mapped_column(comment="Objects that we had not heard of, and applied")
    pushed: Mapped[int] = mapped_column(comment="Objects that had not heard of us, and were told")
