"""Double entry: accounts, entries and their lines, and the seals that chain them."""

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

from sql.models.base import Base, BigId, Instant, Str


class LedgerAccount(Base):
    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("nature in ('asset', 'liability', 'income', 'expense')", name="nature"),
        CheckConstraint("party in ('none', 'provider', 'subscriber')", name="party_known"),
        {"schema": "ledger", "comment": "The chart of accounts; insert-only."},
    )

    code: Mapped[Str] = mapped_column(primary_key=True, comment="Such as cash:stripe")
    nature: Mapped[Str] = mapped_column(comment="asset, liability, income, expense")
    party: Mapped[Str] = mapped_column(comment="Whose lines it holds: none, provider, subscriber")
    meaning: Mapped[Str] = mapped_column(comment="What stands on it, for people")


class LedgerEntry(Base):
    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("kind", "reference"),
        CheckConstraint("kind ~ '^[a-z_]{1,40}$'", name="kind_form"),
        CheckConstraint("length(reference) between 1 and 300", name="reference_length"),
        {"schema": "ledger", "comment": "One balanced posting; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Internal; rolled back ones leave gaps")
    kind: Mapped[Str] = mapped_column(comment="See docs/decisions: invoice, refund, credit, ...")
    reference: Mapped[Str] = mapped_column(comment="What it is for: one entry per kind and this")
    happened_at: Mapped[Instant] = mapped_column(comment="When the money moved, UTC")
    known_at: Mapped[Instant] = mapped_column(comment="When the platform knew, UTC")
    subscription_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("billing.subscription.id", ondelete="restrict"),
        index=True,
        comment="Whose money; null: of no single subscription",
    )
    why: Mapped[Str] = mapped_column(server_default=text("''"), comment="Reason, for people")


class LedgerLine(Base):
    __tablename__ = "line"
    __table_args__ = (
        CheckConstraint(
            "amount_minor <> 0 and abs(amount_minor) <= 1000000000000000", name="amount_in_range"
        ),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_form"),
        Index("line_account_party_idx", "account", "party"),
        {"schema": "ledger", "comment": "One side of an entry; those of an entry sum to zero."},
    )

    entry_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("ledger.entry.id", ondelete="restrict"),
        primary_key=True,
        comment="Of which entry",
    )
    position: Mapped[int] = mapped_column(primary_key=True, comment="1, 2, ... within the entry")
    account: Mapped[Str] = mapped_column(
        ForeignKey("ledger.account.code", ondelete="restrict"), comment="Where it is posted"
    )
    party: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"),
        comment="Whose, on accounts that are kept by person",
    )
    amount_minor: Mapped[int] = mapped_column(
        BigInteger, comment="Minor units; debit positive, credit negative"
    )
    currency: Mapped[Str] = mapped_column(comment="ISO 4217")


class LedgerSeal(Base):
    __tablename__ = "seal"
    __table_args__ = (
        CheckConstraint("position >= 1", name="position_positive"),
        {"schema": "ledger", "comment": "A chain of digests over all entries; insert-only."},
    )

    position: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="Gapless, in commit order"
    )
    entry_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("ledger.entry.id", ondelete="restrict"),
        unique=True,
        comment="What is sealed, with its lines and documents",
    )
    previous: Mapped[bytes] = mapped_column(LargeBinary, comment="Digest before; empty: the first")
    digest: Mapped[bytes] = mapped_column(LargeBinary, comment="sha256, as ledger.digest_of")
