"""What was learnt of a version in the sandbox when it was published."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute("set local statement_timeout = '60s'")
    op.execute("alter table registry.version add deterministic boolean, add leak_report jsonb")
    op.execute(
        "comment on column registry.version.deterministic is"
        " 'Two fresh runs of one hour gave the same bytes; null: published before it was asked'"
    )
    op.execute(
        "comment on column registry.version.leak_report is"
        " 'forecast_history against forecast, and state carried over; see docs/provider/testing.md'"
    )
