"""Security-relevant acts, append-only."""

import uuid

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, BigId, Instant, Json, Str


class AuditEvent(Base):
    __tablename__ = "event"
    __table_args__ = ({"schema": "audit", "comment": "Who did what to what; insert-only."},)

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    at: Mapped[Instant] = mapped_column(comment="When it happened")
    actor_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"),
        index=True,
        comment="Null: the platform",
    )
    action: Mapped[Str] = mapped_column(comment="noun.verb, such as version.offline")
    subject: Mapped[Str] = mapped_column(comment="What it was done to")
    detail: Mapped[Json] = mapped_column(comment="Whatever explains it; never a secret")
    owner_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"),
        index=True,
        comment="Whose thing it was done to, if not the actor's",
    )
