"""What versions are made of: rules for packages, their known weaknesses, findings, keys."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, BigId, Instant, Str


class PackageRule(Base):
    __tablename__ = "package_rule"
    __table_args__ = (
        CheckConstraint("verdict in ('allow', 'deny', 'none')", name="verdict_known"),
        {"schema": "registry", "comment": "The operator's list of packages; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="The newest of a name counts")
    at: Mapped[Instant] = mapped_column(comment="When")
    name: Mapped[Str] = mapped_column(comment="Normalised name of a package")
    verdict: Mapped[Str] = mapped_column(comment="allow, deny, or none: the rule is withdrawn")
    why: Mapped[Str] = mapped_column(comment="Told to those who are refused")


class AdvisoryImport(Base):
    __tablename__ = "advisory_import"
    __table_args__ = (
        {
            "schema": "registry",
            "comment": "A database of advisories, as the operator brought it; insert-only.",
        },
    )

    id: Mapped[BigId] = mapped_column(comment="The newest counts")
    at: Mapped[Instant] = mapped_column(comment="When")
    source: Mapped[Str] = mapped_column(comment="Name of the file")
    digest: Mapped[Str] = mapped_column(comment="sha256 of the file")
    newest: Mapped[Instant | None] = mapped_column(
        comment="When the newest advisory in it was modified"
    )
    advisories: Mapped[int] = mapped_column(comment="How many concern packages of ours")


class Advisory(Base):
    __tablename__ = "advisory"
    __table_args__ = (
        {
            "schema": "registry",
            "comment": "Known weaknesses of packages; the newest import replaces all before it.",
        },
    )

    import_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("registry.advisory_import.id", ondelete="restrict"),
        primary_key=True,
        comment="Which database",
    )
    package: Mapped[Str] = mapped_column(primary_key=True, comment="Normalised name")
    advisory_id: Mapped[Str] = mapped_column(primary_key=True, comment="Such as PYSEC-2024-1")
    summary: Mapped[Str] = mapped_column(comment="For people")
    affected: Mapped[list[dict[str, Any]]] = mapped_column(
        JSONB, comment="OSV's versions and ranges of this package"
    )


class AdvisoryAcceptance(Base):
    __tablename__ = "advisory_acceptance"
    __table_args__ = (
        {"schema": "registry", "comment": "Advisories that the operator lives with; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Order of insertion")
    at: Mapped[Instant] = mapped_column(comment="When")
    advisory_id: Mapped[Str] = mapped_column(comment="Which advisory no longer refuses a build")
    why: Mapped[Str] = mapped_column(comment="Reason, for people")


class ImageFinding(Base):
    __tablename__ = "image_finding"
    __table_args__ = (
        CheckConstraint("verdict in ('altered', 'mended', 'tag_moved')", name="verdict_known"),
        {"schema": "registry", "comment": "Images that are not what they were; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="The newest of a subject counts")
    at: Mapped[Instant] = mapped_column(comment="When")
    subject: Mapped[Str] = mapped_column(index=True, comment="Digest of a layer or image, or a tag")
    verdict: Mapped[Str] = mapped_column(comment="altered, mended, or tag_moved")
    detail: Mapped[Str] = mapped_column(comment="What was found, for people")


class SigningKey(Base):
    __tablename__ = "signing_key"
    __table_args__ = (
        {
            "schema": "registry",
            "comment": "Public keys that provenance was signed with; insert-only.",
        },
    )

    key_id: Mapped[Str] = mapped_column(
        primary_key=True, comment="sha256 (hex) of the public key's DER form"
    )
    public_key: Mapped[Str] = mapped_column(comment="Ed25519, PEM")
    since: Mapped[Instant] = mapped_column(comment="When it was first used")
