"""The one function by which bars reach a model, versions included."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BARS_AS_OF = """
create function market.bars_as_of(
  instrument_ids int[], start timestamptz, slot timestamptz, cutoff timestamptz,
  max_batch bigint, every_version boolean default false)
returns table (instrument_id int, ts_open timestamptz, open float8, high float8, low float8,
               close float8, volume float8, ts_close timestamptz, available_at timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
  if every_version then
    return query
      select b.instrument_id, b.ts_open, b.open, b.high, b.low, b.close, b.volume,
             b.ts_close, b.available_at
      from market.bar b
      where b.instrument_id = any (bars_as_of.instrument_ids)
        and b.ts_open >= bars_as_of.start and b.ts_open < bars_as_of.slot
        and b.ts_close <= bars_as_of.slot and b.available_at <= bars_as_of.cutoff
        and b.batch_id <= bars_as_of.max_batch
      order by b.instrument_id, b.ts_open, b.available_at, b.batch_id;
  else
    return query
      select distinct on (b.instrument_id, b.ts_open)
             b.instrument_id, b.ts_open, b.open, b.high, b.low, b.close, b.volume,
             b.ts_close, b.available_at
      from market.bar b
      where b.instrument_id = any (bars_as_of.instrument_ids)
        and b.ts_open >= bars_as_of.start and b.ts_open < bars_as_of.slot
        and b.ts_close <= bars_as_of.slot and b.available_at <= bars_as_of.cutoff
        and b.batch_id <= bars_as_of.max_batch
      order by b.instrument_id, b.ts_open, b.available_at desc, b.batch_id desc;
  end if;
end $$;
comment on function market.bars_as_of is
  'Bars as they were knowable: closed by slot, available by cutoff, learnt by max_batch.'
  ' The newest version of each, or every one, oldest first.'
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute("drop function market.bars_as_of(int[], timestamptz, timestamptz, timestamptz, bigint)")
    op.execute(BARS_AS_OF)
    op.execute(
        "revoke all on function market.bars_as_of("
        "int[], timestamptz, timestamptz, timestamptz, bigint, boolean) from public"
    )
