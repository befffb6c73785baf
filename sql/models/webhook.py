"""Where people want events sent, and what became of each."""

import uuid

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, Instant, Str


class Webhook(Base):
    __tablename__ = "webhook"
    __table_args__ = (
        CheckConstraint("cardinality(events) > 0", name="wants_something"),
        CheckConstraint("(disabled_at is null) = (disabled_why is null)", name="disabled_says_why"),
        CheckConstraint(
            "(old_secret is null) = (old_secret_until is null)", name="old_secret_ends"
        ),
        {
            "schema": "account",
            "comment": "Addresses that events are sent to; deleted by its owner.",
        },
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, comment="Random")
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), index=True, comment="Owner"
    )
    url: Mapped[Str] = mapped_column(comment="Where to")
    host: Mapped[Str] = mapped_column(comment="Host and port of url: few deliveries at once to one")
    events: Mapped[list[str]] = mapped_column(ARRAY(Text), comment="Types, such as forecast")
    description: Mapped[Str] = mapped_column(comment="The owner's words")
    secret: Mapped[bytes] = mapped_column(
        LargeBinary, comment="Signs; sealed under the API's secret, AES-256-GCM"
    )
    old_secret: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="Signs beside it for a while; sealed likewise"
    )
    old_secret_until: Mapped[Instant | None] = mapped_column(comment="Until then, exclusive")
    created_at: Mapped[Instant] = mapped_column(comment="When; by the world's clock, as all here")
    disabled_at: Mapped[Instant | None] = mapped_column(comment="Nothing is sent since; null: on")
    disabled_why: Mapped[Str | None] = mapped_column(comment="owner, gone, failing or secret")
    failing_since: Mapped[Instant | None] = mapped_column(comment="Of failures without a success")
    failures: Mapped[int] = mapped_column(
        server_default=text("0"), comment="In a row, without a success"
    )
    not_before: Mapped[Instant] = mapped_column(
        comment="Somebody is sending to it, or it rests after a failure, until then"
    )


class WebhookDelivery(Base):
    __tablename__ = "webhook_delivery"
    __table_args__ = (
        CheckConstraint(
            "state in ('pending', 'delivered', 'failed', 'dropped')", name="state_known"
        ),
        CheckConstraint(
            "num_nonnulls(leaf_index, outbox_id, version_event_id) = (type <> 'ping')::int",
            name="is_of_one_event",
        ),
        CheckConstraint(
            "(state = 'pending') = (next_attempt_at is not null)", name="pending_is_due"
        ),
        UniqueConstraint("webhook_id", "leaf_index"),
        UniqueConstraint("webhook_id", "outbox_id"),
        UniqueConstraint("webhook_id", "version_event_id"),
        Index("webhook_delivery_order", "webhook_id", "seq"),
        Index(
            "webhook_delivery_due",
            "webhook_id",
            "next_attempt_at",
            postgresql_where=text("state = 'pending'"),
        ),
        Index("webhook_delivery_created_at_idx", "created_at"),
        {
            "schema": "account",
            "comment": "Events to be sent to a webhook; names them, holds nothing of what they"
            " say.",
        },
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, comment="Random; the webhook-id sent")
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), comment="Order of sending")
    webhook_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.webhook.id", ondelete="restrict"), comment="Where to"
    )
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), index=True, comment="Owner"
    )
    type: Mapped[Str] = mapped_column(comment="forecast, missed, version.live, ..., or ping")
    leaf_index: Mapped[int | None] = mapped_column(
        BigInteger,
        ForeignKey("transparency.leaf.index", ondelete="restrict"),
        comment="Of forecast and missed",
    )
    outbox_id: Mapped[int | None] = mapped_column(
        BigInteger,
        ForeignKey("billing.outbox.id", ondelete="restrict"),
        comment="Of subscription, payment and offer",
    )
    version_event_id: Mapped[int | None] = mapped_column(
        BigInteger,
        ForeignKey("registry.version_event.id", ondelete="restrict"),
        comment="Of version",
    )
    created_at: Mapped[Instant] = mapped_column(comment="When it was queued")
    state: Mapped[Str] = mapped_column(
        comment="pending; delivered; failed: given up; dropped: the owner may not read it any more"
    )
    attempts: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Since it was queued, or asked for again"
    )
    next_attempt_at: Mapped[Instant | None] = mapped_column(comment="Not before; null: never")
    last_attempt_at: Mapped[Instant | None] = mapped_column(comment="When it was last sent")
    last_status: Mapped[int | None] = mapped_column(comment="HTTP status; null: there was none")
    last_latency_ms: Mapped[int | None] = mapped_column(comment="From connecting to the answer")
    last_error: Mapped[Str | None] = mapped_column(comment="Why the last attempt failed, cut short")


class WebhookCursor(Base):
    __tablename__ = "webhook_cursor"
    __table_args__ = (
        CheckConstraint("id = 1", name="is_one"),
        {"schema": "account", "comment": "One row: up to where events are queued for webhooks."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="Always 1")
    leaf_index: Mapped[int] = mapped_column(BigInteger, comment="Last leaf queued")
    outbox_xid: Mapped[int] = mapped_column(BigInteger, comment="Last transaction queued of outbox")
    version_xid: Mapped[int] = mapped_column(
        BigInteger, comment="Last transaction queued of version_event"
    )
