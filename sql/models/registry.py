"""Signals and their immutable versions."""

import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, BigId, Instant, Str

STATES = ("building", "live", "offline", "retired", "rejected")


class Signal(Base):
    __tablename__ = "signal"
    __table_args__ = (
        UniqueConstraint("provider_id", "name"),
        CheckConstraint("visibility in ('private', 'public')", name="visibility_known"),
        Index("signal_words_idx", "words", postgresql_using="gin"),
        {"schema": "registry", "comment": "provider/name; a name once used stays used."},
    )

    id: Mapped[BigId] = mapped_column(comment="Internal")
    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), comment="Owner"
    )
    name: Mapped[Str] = mapped_column(comment="Second half of provider/name")
    title: Mapped[Str] = mapped_column(comment="From the newest manifest")
    description: Mapped[Str] = mapped_column(comment="From the newest manifest")
    visibility: Mapped[Str] = mapped_column(comment="private: only its provider sees it")
    created_at: Mapped[Instant] = mapped_column(comment="When it was first pushed or made")
    words: Mapped[str | None] = mapped_column(
        TSVECTOR,
        Computed(
            "to_tsvector('english', name || ' ' || title || ' ' || description)", persisted=True
        ),
        comment="Name, title and description, for searching",
    )


class Version(Base):
    __tablename__ = "version"
    __table_args__ = (
        UniqueConstraint("signal_id", "version"),
        CheckConstraint("version ~ '^v[0-9]+\\.[0-9]+\\.[0-9]+$'", name="semver"),
        CheckConstraint(
            "state in ('building', 'live', 'offline', 'retired', 'rejected')", name="state_known"
        ),
        CheckConstraint(
            "state in ('building', 'rejected') or (published_at is not null and image_digest is not"
            " null and lock_digest is not null and tree_digest is not null)",
            name="published_is_complete",
        ),
        {"schema": "registry", "comment": "One published tag; its facts never change."},
    )

    id: Mapped[BigId] = mapped_column(comment="Internal")
    signal_id: Mapped[int] = mapped_column(
        ForeignKey("registry.signal.id", ondelete="restrict"), comment="Whose version"
    )
    version: Mapped[Str] = mapped_column(comment="The tag, such as v1.2.0")
    state: Mapped[Str] = mapped_column(comment="building, live, offline, retired, rejected")
    reserved_at: Mapped[Instant] = mapped_column(comment="When the push began")
    published_at: Mapped[Instant | None] = mapped_column(comment="When it went live")
    pushed_by: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), comment="Who pushed the tag"
    )
    commit_sha: Mapped[Str] = mapped_column(comment="Git commit of the tag")
    tree_digest: Mapped[Str | None] = mapped_column(comment="sha256 over the sorted tree")
    manifest: Mapped[dict[str, Any] | None] = mapped_column(JSONB, comment="signal.toml, parsed")
    lock: Mapped[Str | None] = mapped_column(comment="Requirements with hashes")
    lock_digest: Mapped[Str | None] = mapped_column(comment="sha256 of the lock")
    sbom: Mapped[str | None] = mapped_column(Text, comment="CycloneDX, canonical JSON")
    base_digest: Mapped[Str | None] = mapped_column(comment="Layer of the base image")
    dependencies_digest: Mapped[Str | None] = mapped_column(comment="Layer of the lock")
    source_digest: Mapped[Str | None] = mapped_column(comment="Layer of the source")
    image_digest: Mapped[Str | None] = mapped_column(comment="What runs, in either engine")
    why: Mapped[Str | None] = mapped_column(comment="Why it was rejected")
    provenance: Mapped[str | None] = mapped_column(
        Text, comment="in-toto statement in a signed DSSE envelope, JSON"
    )
    scan: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="What was known of its packages when it was built"
    )
    deterministic: Mapped[bool | None] = mapped_column(
        comment="Two fresh runs of one hour gave the same bytes; null: published before it was"
        " asked"
    )
    leak_report: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB,
        comment="forecast_history against forecast, and state carried over; see"
        " docs/provider/testing.md",
    )


class VersionEvent(Base):
    __tablename__ = "version_event"
    __table_args__ = (
        Index("version_event_order", "xid", "id"),
        {"schema": "registry", "comment": "Every change of state; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    version_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("registry.version.id", ondelete="restrict"),
        index=True,
        comment="Which",
    )
    at: Mapped[Instant] = mapped_column(comment="When")
    actor_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), comment="Null: the platform"
    )
    to_state: Mapped[Str] = mapped_column(comment="New state")
    why: Mapped[Str] = mapped_column(comment="Reason, for people")
    xid: Mapped[int] = mapped_column(
        BigInteger,
        server_default=text("(pg_current_xact_id()::text)::bigint"),
        comment="Transaction; with it a cursor misses no row that commits late",
    )


class SignalEvent(Base):
    __tablename__ = "signal_event"
    __table_args__ = (
        {"schema": "registry", "comment": "Every change of a signal's visibility; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    signal_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("registry.signal.id", ondelete="restrict"),
        index=True,
        comment="Which",
    )
    at: Mapped[Instant] = mapped_column(comment="When")
    actor_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("account.user_account.id", ondelete="restrict"), comment="Null: the platform"
    )
    to_visibility: Mapped[Str] = mapped_column(comment="private or public")
    why: Mapped[Str] = mapped_column(comment="Reason, for people")
