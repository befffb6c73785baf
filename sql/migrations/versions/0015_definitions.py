"""What each measure is; and that what signals are ranked by charges misses."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLE = """
create table score.definition (
  name text not null constraint definition_pkey primary key,
  position integer not null,
  formula text not null,
  source text not null,
  unit text not null,
  better text constraint definition_better_known_check check (better in ('lower', 'higher')),
  over text not null);
comment on table score.definition is
  'What each measure is; as the code that computes it says.';
"""
COMMENTS = {
    "definition.name": "As measures are keyed",
    "definition.position": "Order in which they are shown",
    "definition.formula": "What is computed",
    "definition.source": "Who says so",
    "definition.unit": "Of the value",
    "definition.better": "lower or higher; null: neither",
    "definition.over": "What its count counts",
    "performance.sharpe": "To rank by: annualised, of the declared rule after costs; null: the"
    " record is too short, or see measures",
    "performance.max_drawdown": "To rank by: share of the peak, 0 to 1; null as sharpe",
    "performance.skill": "To rank by: 1 - loss / loss of the best naive baseline, misses charged;"
    " null as sharpe",
    "performance.hit_rate": "To rank by: right directions of those that had one, misses charged;"
    " null as sharpe",
    "performance.measures": "The document performance/1: measures by name with value, reason,"
    " count, interval",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute(TABLE)
    for column, text in COMMENTS.items():
        op.execute(f"comment on column score.{column} is '{text}'")
