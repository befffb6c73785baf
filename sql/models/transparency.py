"""The log: its leaves, the tree over them, and what was signed of it."""

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


class Leaf(Base):
    __tablename__ = "leaf"
    __table_args__ = (
        UniqueConstraint("signal_id", "seq"),
        Index(
            "leaf_due_once",
            "signal_id",
            "version",
            "slot",
            unique=True,
            postgresql_where=text("slot is not null"),
        ),
        CheckConstraint(
            "(kind in ('forecast/v1', 'missed/v1')) = (slot is not null)"
            " and (slot is null) = (version is null)",
            name="due_names_slot_and_version",
        ),
        {"schema": "transparency", "comment": "The log, in order; insert-only."},
    )

    index: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="Position, gapless from 0"
    )
    kind: Mapped[Str] = mapped_column(comment="version/v1, forecast/v1, missed/v1, ...")
    signal_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("registry.signal.id", ondelete="restrict"), comment="Whose chain"
    )
    seq: Mapped[int] = mapped_column(BigInteger, comment="Gapless from 0 within the signal")
    body: Mapped[bytes] = mapped_column(LargeBinary, comment="Canonical JSON")
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary, comment="RFC 6962: sha256(0x00 || body)")
    appended_at: Mapped[Instant] = mapped_column(comment="Proves nothing by itself")
    version: Mapped[Str | None] = mapped_column(
        comment="Of forecast/v1 and missed/v1: the version that owed the slot, as in the body"
    )
    slot: Mapped[Instant | None] = mapped_column(
        comment="Of forecast/v1 and missed/v1: the due slot, as in the body"
    )


class Tile(Base):
    __tablename__ = "tile"
    __table_args__ = (
        CheckConstraint("octet_length(hashes) = 8192", name="full"),
        CheckConstraint("octet_length(root) = 32", name="root_is_a_hash"),
        {
            "schema": "transparency",
            "comment": "Full tiles of the tree (C2SP tlog-tiles); insert-only. Partial ones are"
            " read from the leaves or from the roots of the level below.",
        },
    )

    level: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="0: of leaf hashes"
    )
    index: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="Within the level, from 0"
    )
    hashes: Mapped[bytes] = mapped_column(LargeBinary, comment="256 hashes of 32 bytes")
    root: Mapped[bytes] = mapped_column(
        LargeBinary, comment="Of the subtree over them: one entry of the level above"
    )


class Checkpoint(Base):
    __tablename__ = "checkpoint"
    __table_args__ = (
        Index("checkpoint_size_idx", "size"),
        CheckConstraint("size >= 0", name="not_negative"),
        CheckConstraint("octet_length(root) = 32", name="root_is_a_hash"),
        {
            "schema": "transparency",
            "comment": "The log's size and root, signed; insert-only, never smaller.",
        },
    )

    id: Mapped[BigId] = mapped_column(comment="Order of signing")
    origin: Mapped[Str] = mapped_column(comment="Name of the log, first line of the note")
    size: Mapped[int] = mapped_column(BigInteger, comment="Leaves below this index are covered")
    root: Mapped[bytes] = mapped_column(LargeBinary, comment="RFC 6962 tree hash of that size")
    note: Mapped[bytes] = mapped_column(
        LargeBinary, comment="Signed note of the log's own keys, without cosignatures"
    )
    signed_at: Mapped[Instant] = mapped_column(comment="When; proves nothing by itself")


class Cosignature(Base):
    __tablename__ = "cosignature"
    __table_args__ = (
        CheckConstraint("octet_length(key_hash) = 4", name="key_hash_has_four_bytes"),
        {
            "schema": "transparency",
            "comment": "What witnesses and monitors signed of a checkpoint; insert-only.",
        },
    )

    checkpoint_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("transparency.checkpoint.id", ondelete="restrict"),
        primary_key=True,
        comment="Which checkpoint",
    )
    key_name: Mapped[Str] = mapped_column(primary_key=True, comment="Name of the cosigner's key")
    key_hash: Mapped[bytes] = mapped_column(
        LargeBinary, primary_key=True, comment="Four bytes, as in the signature line"
    )
    timestamp: Mapped[Instant] = mapped_column(comment="By the cosigner's clock; it is signed")
    line: Mapped[Str] = mapped_column(comment="Signature line of the note, without line end")
    received_at: Mapped[Instant] = mapped_column(comment="When it came, by our clock")


class Quorum(Base):
    __tablename__ = "quorum"
    __table_args__ = (
        Index("quorum_size_idx", "size"),
        {
            "schema": "transparency",
            "comment": "Checkpoints that had every signature the policy asks for; insert-only.",
        },
    )

    checkpoint_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("transparency.checkpoint.id", ondelete="restrict"),
        primary_key=True,
        comment="Which checkpoint",
    )
    size: Mapped[int] = mapped_column(BigInteger, comment="Of the checkpoint")
    reached_at: Mapped[Instant] = mapped_column(
        comment="Evidence time: the last signature needed; by our clock if the log is alone"
    )
    policy: Mapped[Str] = mapped_column(comment="What was asked for, in words")


class Anchor(Base):
    __tablename__ = "anchor"
    __table_args__ = (
        CheckConstraint("kind in ('rfc3161')", name="kind_known"),
        {
            "schema": "transparency",
            "comment": "Time-stamps of others over checkpoints; insert-only.",
        },
    )

    id: Mapped[BigId] = mapped_column(comment="Order of arrival")
    checkpoint_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("transparency.checkpoint.id", ondelete="restrict"),
        index=True,
        comment="Whose note was stamped",
    )
    kind: Mapped[Str] = mapped_column(comment="rfc3161")
    authority: Mapped[Str] = mapped_column(comment="Address of the time-stamping authority")
    token: Mapped[bytes] = mapped_column(LargeBinary, comment="DER of its TimeStampResp")
    stamped_at: Mapped[Instant] = mapped_column(comment="By the authority's clock; it is signed")
    received_at: Mapped[Instant] = mapped_column(comment="When it came, by our clock")
