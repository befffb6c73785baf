"""What came of computing logged forecasts again."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sql.models.base import Base, BigId, Instant, Str


class Reproduction(Base):
    __tablename__ = "reproduction"
    __table_args__ = (
        CheckConstraint("result in ('reproduced', 'differs', 'not_possible')", name="result_known"),
        CheckConstraint("(result = 'reproduced') = (why = '')", name="difference_is_named"),
        {"schema": "transparency", "comment": "Logged forecasts run again; insert-only."},
    )

    id: Mapped[BigId] = mapped_column(comment="Internal")
    leaf_index: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("transparency.leaf.index", ondelete="restrict"),
        index=True,
        comment="The forecast that was run again",
    )
    result: Mapped[Str] = mapped_column(comment="reproduced, differs, not_possible")
    why: Mapped[Str] = mapped_column(comment="The first thing that differed; empty: nothing did")
    drawn_by: Mapped[Str] = mapped_column(comment="The draw: its date, and the log's size and hash")
    audit_leaf: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("transparency.leaf.index", ondelete="restrict"),
        comment="The audit/v1 leaf that says so",
    )
    reproduced_at: Mapped[Instant] = mapped_column(comment="When it was run again")
    dagster_run_id: Mapped[Str | None] = mapped_column(comment="Run that drew it")
