"""The reveal delay of an offer, one record to a leaf, and forecasts that were run again."""

from alembic import op
import sqlalchemy as sa

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute("set local statement_timeout = '60s'")
    op.add_column(
        "price",
        sa.Column(
            "reveal_after_hours",
            sa.Integer(),
            server_default=sa.text("168"),
            nullable=False,
            comment="Slots made under this offer are public so much later",
        ),
        schema="billing",
    )
    op.create_check_constraint(
        op.f("price_revealed_within_a_year_check"),
        "price",
        "reveal_after_hours between 1 and 8760",
        schema="billing",
    )
    op.alter_column(
        "price", "valid_from", comment="Binds subscriptions and slots from then on", schema="billing"
    )
    op.create_index(
        "slot_record_leaf_once", "slot_record", ["leaf_index"], unique=True, schema="forecast"
    )
    op.create_table(
        "reproduction",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Internal"),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False, comment="The forecast that was run again"),
        sa.Column("result", sa.Text(), nullable=False, comment="reproduced, differs, not_possible"),
        sa.Column("why", sa.Text(), nullable=False, comment="The first thing that differed; empty: nothing did"),
        sa.Column("drawn_by", sa.Text(), nullable=False, comment="The draw: its date, and the log's size and hash"),
        sa.Column("audit_leaf", sa.BigInteger(), nullable=False, comment="The audit/v1 leaf that says so"),
        sa.Column("reproduced_at", sa.DateTime(timezone=True), nullable=False, comment="When it was run again"),
        sa.Column("dagster_run_id", sa.Text(), nullable=True, comment="Run that drew it"),
        sa.CheckConstraint("(result = 'reproduced') = (why = '')", name=op.f("reproduction_difference_is_named_check")),
        sa.CheckConstraint("result in ('reproduced', 'differs', 'not_possible')", name=op.f("reproduction_result_known_check")),
        sa.ForeignKeyConstraint(["audit_leaf"], ["transparency.leaf.index"], name=op.f("reproduction_audit_leaf_fkey"), ondelete="restrict"),
        sa.ForeignKeyConstraint(["leaf_index"], ["transparency.leaf.index"], name=op.f("reproduction_leaf_index_fkey"), ondelete="restrict"),
        sa.PrimaryKeyConstraint("id", name=op.f("reproduction_pkey")),
        schema="transparency",
        comment="Logged forecasts run again; insert-only.",
    )
    op.create_index(
        op.f("reproduction_leaf_index_idx"), "reproduction", ["leaf_index"], schema="transparency"
    )
    op.execute(
        "create trigger transparency_reproduction_insert_only before update or delete"
        " on transparency.reproduction for each row execute function audit.refuse_change()"
    )
    op.execute(
        "create trigger transparency_reproduction_no_truncate before truncate"
        " on transparency.reproduction for each statement execute function audit.refuse_change()"
    )
