"""What scores and bars add up to, by signal, version and period."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = """
create table score.performance (
  id bigint generated always as identity constraint performance_pkey primary key,
  signal_id bigint not null constraint performance_signal_id_fkey
    references registry.signal on delete restrict,
  version_id bigint constraint performance_version_id_fkey
    references registry.version on delete restrict,
  period text not null constraint performance_known_period_check
    check (period in ('30d', '90d', 'all')),
  as_of timestamptz not null,
  computed_at timestamptz not null,
  live_since timestamptz,
  live_slots integer not null constraint performance_live_slots_counted_check
    check (live_slots >= 0),
  sharpe double precision,
  max_drawdown double precision,
  skill double precision,
  hit_rate double precision,
  measures jsonb not null);
create unique index performance_of_idx on score.performance (signal_id, version_id, period)
  nulls not distinct;
comment on table score.performance is 'Measures of a signal or of one of its versions; derived.';

create table score.rule_return (
  signal_id bigint not null constraint rule_return_signal_id_fkey
    references registry.signal on delete restrict,
  hour timestamptz not null,
  computed_at timestamptz not null,
  gross double precision not null,
  cost double precision not null,
  net double precision not null,
  turnover double precision not null,
  constraint rule_return_pkey primary key (signal_id, hour));
comment on table score.rule_return is 'Hourly return of a signal''s trading rule; derived.';
"""
COMMENTS = {
    "performance": {
        "id": "Order of insertion",
        "signal_id": "Whose",
        "version_id": "Null: the signal, as its subscribers received it",
        "period": "30d, 90d or all: slots before as_of",
        "as_of": "Slots before it count",
        "computed_at": "When",
        "live_since": "First live slot ever",
        "live_slots": "Slots proven live in the period",
        "sharpe": "Annualised, of the declared rule after costs; null: see measures",
        "max_drawdown": "Share of the peak, 0 to 1; null: see measures",
        "skill": "1 - loss / loss of the best naive baseline; null: see measures",
        "hit_rate": "Right directions of those that had one; null: see measures",
        "measures": "By name: value, reason, count, interval",
    },
    "rule_return": {
        "signal_id": "Whose",
        "hour": "Start of the hour held",
        "computed_at": "When",
        "gross": "Simple return before costs",
        "cost": "Costs, as a share of capital",
        "net": "gross - cost",
        "turnover": "Change of positions, as a share of capital",
    },
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute(TABLES)
    for table, columns in COMMENTS.items():
        for column, text in columns.items():
            op.execute(f"comment on column score.{table}.{column} is '{text}'")
