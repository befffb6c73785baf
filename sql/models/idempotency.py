"""What was answered to a create that may be sent again."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, Instant, Str


class IdempotentAnswer(Base):
    __tablename__ = "idempotent_answer"
    __table_args__ = (
        CheckConstraint("length(key) between 1 and 255", name="key_length"),
        CheckConstraint("octet_length(request_hmac) = 32", name="hmac_length"),
        {
            "schema": "account",
            "comment": "Answers to creates that carried an Idempotency-Key, for 24 hours.",
        },
    )

    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"),
        primary_key=True,
        comment="Who asked",
    )
    route: Mapped[Str] = mapped_column(
        primary_key=True, comment="The operation, by its name in the API's document"
    )
    key: Mapped[Str] = mapped_column(primary_key=True, comment="Idempotency-Key, as sent")
    request_hmac: Mapped[bytes] = mapped_column(
        LargeBinary, comment="HMAC-SHA256 of method, address and body under the API's secret"
    )
    created_at: Mapped[Instant] = mapped_column(
        index=True, comment="When it was answered; forgotten 24 hours later"
    )
    sealed_answer: Mapped[bytes] = mapped_column(
        LargeBinary, comment="AES-256-GCM: nonce and ciphertext of status, headers and body"
    )
