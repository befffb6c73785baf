"""The log's leaves."""

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, Instant, Str


class Leaf(Base):
    __tablename__ = "leaf"
    __table_args__ = (
        UniqueConstraint("signal_id", "seq"),
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
