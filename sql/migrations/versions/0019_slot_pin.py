"""What a run pinned a slot to: one answer for all processes that share the run."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLE = """
create table forecast.slot_pin (
  dagster_run_id text not null,
  slot timestamptz not null,
  cutoff timestamptz not null,
  max_batch bigint not null,
  pinned_at timestamptz not null,
  constraint slot_pin_pkey primary key (dagster_run_id, slot));
comment on table forecast.slot_pin is 'What a run pinned a slot to, once; insert-only.';
create trigger forecast_slot_pin_insert_only before update or delete on forecast.slot_pin
  for each row execute function audit.refuse_change();
create trigger forecast_slot_pin_no_truncate before truncate on forecast.slot_pin
  for each statement execute function audit.refuse_change();
"""
COMMENTS = {
    "dagster_run_id": "Run that shares the pin among its processes",
    "slot": "as_of: the hour that is forecast at",
    "cutoff": "Bars available by then are visible",
    "max_batch": "Newest ingest batch read; 0 before the first",
    "pinned_at": "When its first process asked",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute(TABLE)
    for column, text in COMMENTS.items():
        op.execute(f"comment on column forecast.slot_pin.{column} is '{text}'")
