"""New prices proposed to those who subscribe already, and what they said."""

import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, BigId, Instant


class Proposal(Base):
    __tablename__ = "proposal"
    __table_args__ = (
        CheckConstraint(
            "effective_from - proposed_at >= interval '30 days'", name="notice_30_days"
        ),
        {"schema": "billing", "comment": "A new price for old subscribers; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    signal_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("registry.signal.id", ondelete="restrict"),
        index=True,
        comment="To whose subscribers",
    )
    price_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("billing.price.id", ondelete="restrict"), comment="New terms"
    )
    proposed_at: Mapped[Instant] = mapped_column(comment="When subscribers were told")
    effective_from: Mapped[Instant] = mapped_column(
        comment="Periods that begin from then on; 30 days or more of notice"
    )
    ends_old_terms: Mapped[bool] = mapped_column(
        comment="Who does not consent ends with the period then; false: keeps the old terms"
    )


class Consent(Base):
    __tablename__ = "consent"
    __table_args__ = (
        {"schema": "billing", "comment": "A subscriber's yes to a proposal; insert-only."},
    )

    subscription_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("billing.subscription.id", ondelete="restrict"),
        primary_key=True,
        comment="Whose",
    )
    proposal_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("billing.proposal.id", ondelete="restrict"),
        primary_key=True,
        comment="To what",
    )
    at: Mapped[Instant] = mapped_column(comment="When they said yes")
