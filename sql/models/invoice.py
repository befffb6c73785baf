"""What the ledger's entries are documented by: rates, invoices, reversals, payouts."""

import uuid
from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, BigId, Instant, Str


class Rate(Base):
    __tablename__ = "rate"
    __table_args__ = (
        CheckConstraint("basis_points between 0 and 10000", name="basis_points_in_range"),
        CheckConstraint("payout_minimum_minor >= 1", name="minimum_positive"),
        CheckConstraint("valid_from >= known_at", name="not_backdated"),
        {"schema": "ledger", "comment": "What the platform takes; the newest valid one holds."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    basis_points: Mapped[int] = mapped_column(comment="Platform's fee, 1/100 % of an invoice")
    payout_minimum_minor: Mapped[int] = mapped_column(
        BigInteger, comment="Smaller balances are carried over"
    )
    valid_from: Mapped[Instant] = mapped_column(comment="Of invoices paid from then on")
    known_at: Mapped[Instant] = mapped_column(comment="When it was decided")


class InvoiceCounter(Base):
    __tablename__ = "invoice_counter"
    __table_args__ = (
        {"schema": "ledger", "comment": "Last invoice of each year; locked while one is made."},
    )

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="UTC")
    last: Mapped[int] = mapped_column(comment="Grows by one, so that numbers are gapless")


class Invoice(Base):
    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("year", "sequence"),
        CheckConstraint(
            "number = year::text || '-' || lpad(sequence::text, 6, '0')", name="number_form"
        ),
        CheckConstraint("period_start < period_end", name="period_not_empty"),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
        CheckConstraint("credit_minor between 0 and amount_minor", name="credit_in_range"),
        CheckConstraint("platform_fee_minor between 0 and amount_minor", name="fee_in_range"),
        CheckConstraint("payment_fee_minor >= 0", name="payment_fee_not_negative"),
        CheckConstraint("user_id <> provider_id", name="not_to_oneself"),
        {"schema": "ledger", "comment": "A paid period of a subscription; insert-only."},
    )

    number: Mapped[Str] = mapped_column(primary_key=True, comment="Such as 2026-000001")
    year: Mapped[int] = mapped_column(comment="Of issued_at, UTC")
    sequence: Mapped[int] = mapped_column(comment="Gapless within the year")
    entry_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("ledger.entry.id", ondelete="restrict"),
        unique=True,
        comment="Its posting",
    )
    subscription_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("billing.subscription.id", ondelete="restrict"), index=True, comment="What for"
    )
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"),
        index=True,
        comment="Subscriber",
    )
    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), index=True, comment="Provider"
    )
    signal_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("registry.signal.id", ondelete="restrict"), comment="Signal"
    )
    period_start: Mapped[Instant] = mapped_column(comment="Paid from, inclusive")
    period_end: Mapped[Instant] = mapped_column(index=True, comment="Paid until, exclusive")
    amount_minor: Mapped[int] = mapped_column(BigInteger, comment="Price of the period")
    credit_minor: Mapped[int] = mapped_column(BigInteger, comment="Of it, paid by credit")
    platform_fee_minor: Mapped[int] = mapped_column(BigInteger, comment="The platform's part")
    payment_fee_minor: Mapped[int] = mapped_column(
        BigInteger, comment="What the payment provider kept; borne by the platform"
    )
    currency: Mapped[Str] = mapped_column(comment="ISO 4217")
    payment_provider: Mapped[Str] = mapped_column(comment="manual, stripe")
    paid_at: Mapped[Instant] = mapped_column(comment="When the money moved")
    issued_at: Mapped[Instant] = mapped_column(comment="When the platform knew")


class InvoiceLine(Base):
    __tablename__ = "invoice_line"
    __table_args__ = ({"schema": "ledger", "comment": "What an invoice lists; insert-only."},)

    invoice_number: Mapped[Str] = mapped_column(
        ForeignKey("ledger.invoice.number", ondelete="restrict"),
        primary_key=True,
        comment="Of which invoice",
    )
    position: Mapped[int] = mapped_column(primary_key=True, comment="1, 2, ... on the invoice")
    description: Mapped[Str] = mapped_column(comment="For people")
    amount_minor: Mapped[int] = mapped_column(BigInteger, comment="Minor units; credit negative")


class Reversal(Base):
    __tablename__ = "reversal"
    __table_args__ = (
        CheckConstraint("kind in ('refund', 'chargeback')", name="kind_known"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("amount_minor = provider_minor + platform_minor", name="parts_add_up"),
        CheckConstraint("fee_minor >= 0", name="fee_not_negative"),
        {"schema": "ledger", "comment": "Money of an invoice that went back; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    entry_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("ledger.entry.id", ondelete="restrict"),
        unique=True,
        comment="Its posting",
    )
    invoice_number: Mapped[Str] = mapped_column(
        ForeignKey("ledger.invoice.number", ondelete="restrict"), index=True, comment="Of which"
    )
    kind: Mapped[Str] = mapped_column(comment="refund, chargeback")
    amount_minor: Mapped[int] = mapped_column(BigInteger, comment="Back to the subscriber")
    provider_minor: Mapped[int] = mapped_column(BigInteger, comment="Of it, from the provider")
    platform_minor: Mapped[int] = mapped_column(BigInteger, comment="Of it, from the platform")
    fee_minor: Mapped[int] = mapped_column(
        BigInteger, comment="Of the payment provider, for a dispute; borne by the platform"
    )
    happened_at: Mapped[Instant] = mapped_column(comment="When the money went back")


class Payout(Base):
    __tablename__ = "payout"
    __table_args__ = (
        UniqueConstraint("provider_id", "month", "currency"),
        CheckConstraint("extract(day from month) = 1", name="month_is_a_first"),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
        CheckConstraint("(amount_minor = 0) = (carried is not null)", name="carried_says_why"),
        CheckConstraint("carried in ('below_minimum', 'negative')", name="carried_known"),
        {"schema": "ledger", "comment": "One provider's month, settled once; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    entry_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("ledger.entry.id", ondelete="restrict"),
        unique=True,
        comment="Its posting; without lines where nothing was paid",
    )
    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), comment="To whom"
    )
    month: Mapped[date] = mapped_column(comment="First day of the month settled, UTC")
    currency: Mapped[Str] = mapped_column(comment="ISO 4217")
    balance_minor: Mapped[int] = mapped_column(
        BigInteger, comment="Owed for the month and all before; negative: owed to the platform"
    )
    amount_minor: Mapped[int] = mapped_column(BigInteger, comment="Paid; zero: carried over")
    carried: Mapped[Str | None] = mapped_column(comment="Why nothing was paid")
    settled_at: Mapped[Instant] = mapped_column(comment="When")


class Card(Base):
    __tablename__ = "card"
    __table_args__ = (
        {"schema": "ledger", "comment": "Which people paid by which card; insert-only."},
    )

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"),
        primary_key=True,
        comment="Who paid",
    )
    fingerprint_sha256: Mapped[bytes] = mapped_column(
        LargeBinary, primary_key=True, comment="Of the payment provider's fingerprint of the card"
    )
    first_seen_at: Mapped[Instant] = mapped_column(comment="When it was first used")
