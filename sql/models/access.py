"""What stands between people and the API: sealed keys of vendors, and limits."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, Instant, Str


class DataSourceKey(Base):
    __tablename__ = "data_source_key"
    __table_args__ = (
        CheckConstraint(
            "num_nulls(revoked_at, sealed) = 1"
            " and num_nulls(sealed, wrapped_key, key_id) in (0, 3)",
            name="erased_when_revoked",
        ),
        {"schema": "account", "comment": "Keys of market data vendors, sealed to the run workers."},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, comment="Random")
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), index=True, comment="Owner"
    )
    name: Mapped[Str] = mapped_column(comment="What the owner calls it")
    source: Mapped[Str] = mapped_column(comment="Whose key it is, such as alpaca")
    shown: Mapped[Str] = mapped_column(comment="First four and last four characters")
    created_at: Mapped[Instant] = mapped_column(comment="When it was stored")
    revoked_at: Mapped[Instant | None] = mapped_column(comment="When the owner had it erased")
    last_used_at: Mapped[Instant | None] = mapped_column(comment="When a worker opened it last")
    key_id: Mapped[Str | None] = mapped_column(comment="Key pair that wrapped_key is sealed to")
    wrapped_key: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="The data key, by HPKE; null: erased"
    )
    sealed: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="Nonce and ciphertext, AES-256-GCM; null: erased"
    )


class RateLimit(Base):
    __tablename__ = "rate_limit"
    __table_args__ = (
        {
            "schema": "account",
            "comment": "Buckets of limits that several API processes share; what is full has no"
            " row.",
            "prefixes": ["unlogged"],
        },
    )

    key: Mapped[bytes] = mapped_column(
        LargeBinary, primary_key=True, comment="sha256 of what is counted, and for whom"
    )
    full_at: Mapped[Instant] = mapped_column(comment="When the bucket is full again")
    was_refused: Mapped[bool] = mapped_column(
        comment="Whether the last wish for a token was refused"
    )
