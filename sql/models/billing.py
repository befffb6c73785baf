"""Offers, and who takes them."""

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


class Price(Base):
    __tablename__ = "price"
    __table_args__ = (
        CheckConstraint("amount_minor >= 0", name="not_negative"),
        CheckConstraint("trial_days between 0 and 30", name="trial_at_most_30_days"),
        CheckConstraint("reveal_after_hours between 1 and 8760", name="revealed_within_a_year"),
        {"schema": "billing", "comment": "Offers, insert-only: the newest binds new subscribers."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    signal_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("registry.signal.id", ondelete="restrict"),
        index=True,
        comment="What is offered",
    )
    amount_minor: Mapped[int] = mapped_column(BigInteger, comment="Per month, in cents")
    currency: Mapped[Str] = mapped_column(comment="ISO 4217")
    trial_days: Mapped[int] = mapped_column(comment="0..30")
    valid_from: Mapped[Instant] = mapped_column(
        comment="Binds subscriptions and slots from then on"
    )
    reveal_after_hours: Mapped[int] = mapped_column(
        server_default=text("168"), comment="Slots made under this offer are public so much later"
    )


class Subscription(Base):
    __tablename__ = "subscription"
    __table_args__ = (
        CheckConstraint(
            "state in ('incomplete', 'trialing', 'active', 'past_due', 'canceled', 'expired')",
            name="state_known",
        ),
        CheckConstraint(
            "state <> 'trialing' or period_end - period_start <= interval '30 days'",
            name="trial_at_most_30_days",
        ),
        CheckConstraint(
            "grace_until - period_end <= interval '3 days'", name="grace_at_most_3_days"
        ),
        Index("subscription_ends", "state", "period_end"),
        Index(
            "subscription_external_id_key",
            "payment_provider",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        Index(
            "subscription_one_open",
            "user_id",
            "signal_id",
            unique=True,
            postgresql_where=text("state not in ('canceled', 'expired')"),
        ),
        {"schema": "billing", "comment": "One person's access to one signal."},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, comment="Random")
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), comment="Subscriber"
    )
    signal_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("registry.signal.id", ondelete="restrict"),
        index=True,
        comment="Signal",
    )
    price_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("billing.price.id", ondelete="restrict"), comment="Terms agreed"
    )
    state: Mapped[Str] = mapped_column(comment="See docs/glossary.md")
    payment_provider: Mapped[Str] = mapped_column(comment="manual, stripe")
    created_at: Mapped[Instant] = mapped_column(comment="When it was asked for")
    period_start: Mapped[Instant | None] = mapped_column(comment="Access from, inclusive")
    period_end: Mapped[Instant | None] = mapped_column(comment="Access until, exclusive")
    had_trial: Mapped[bool] = mapped_column(comment="One trial per person and signal")
    cancel_at_period_end: Mapped[bool] = mapped_column(comment="Ends when the period does")
    cancel_why: Mapped[Str | None] = mapped_column(
        comment="asked; agreed: the payment provider knows; terms: they were withdrawn"
    )
    grace_until: Mapped[Instant | None] = mapped_column(
        comment="Access until, exclusive, while the payment provider collects or tries again"
    )
    external_id: Mapped[Str | None] = mapped_column(comment="The payment provider's id of it")
    email_mark: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="HMAC of the normalised e-mail that it was asked for with"
    )
    reminders: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Sent since it is past due"
    )
    state_since: Mapped[Instant] = mapped_column(
        server_default=text("now()"), comment="When the state came about"
    )
    state_known_at: Mapped[Instant] = mapped_column(
        server_default=text("now()"), comment="When we learnt of it"
    )
    state_why: Mapped[Str] = mapped_column(
        server_default=text("''"), comment="What brought the state about"
    )
    state_by: Mapped[uuid.UUID | None] = mapped_column(comment="Whose act it was; null: nobody's")


class PaymentEvent(Base):
    __tablename__ = "payment_event"
    __table_args__ = (
        UniqueConstraint("provider", "external_id"),
        {"schema": "billing", "comment": "Inbox of payment events; each has one effect."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of arrival")
    provider: Mapped[Str] = mapped_column(comment="manual, stripe")
    external_id: Mapped[Str] = mapped_column(comment="The provider's id of the event")
    kind: Mapped[Str] = mapped_column(comment="checkout.paid, ...")
    received_at: Mapped[Instant] = mapped_column(comment="When it arrived")
    payload: Mapped[Json] = mapped_column(comment="As delivered")
