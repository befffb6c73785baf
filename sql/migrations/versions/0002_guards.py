"""What no grant can say: insert-only tables, immutable versions, as-of reads, notices."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSERT_ONLY = (
    "audit.event",
    "registry.version_event",
    "market.instrument_alias",
    "market.ingest_batch",
    "market.bar",
    "market.reject",
    "forecast.slot_record",
    "forecast.forecast",
    "forecast.opening",
    "forecast.replay_audit",
    "transparency.leaf",
    "score.score",
    "billing.price",
    "billing.payment_event",
)

REFUSE_CHANGE = """
create function audit.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '%.% is insert-only: % refused', tg_table_schema, tg_table_name, tg_op
    using errcode = 'insufficient_privilege',
          hint = 'Withdrawing or correcting is a new row.';
end $$;
comment on function audit.refuse_change() is 'Trigger: tables that only grow.'
"""

IMMUTABLE_VERSION = """
create function registry.refuse_version_change() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' then
    raise exception 'registry.version keeps every version: % refused', tg_op
      using errcode = 'insufficient_privilege';
  end if;
  if old.state not in ('building', 'rejected') and
     (to_jsonb(new) - 'state') is distinct from (to_jsonb(old) - 'state') then
    raise exception 'version % is published: only its state may change', old.version
      using errcode = 'insufficient_privilege';
  end if;
  if new.signal_id <> old.signal_id or new.version <> old.version then
    raise exception 'a reservation keeps its signal and version'
      using errcode = 'insufficient_privilege';
  end if;
  if new.state <> old.state and (old.state, new.state) not in (
      ('building', 'live'), ('building', 'rejected'), ('rejected', 'building'),
      ('live', 'offline'), ('offline', 'live'), ('live', 'retired'), ('offline', 'retired')) then
    raise exception 'a version cannot go from % to %', old.state, new.state
      using errcode = 'check_violation';
  end if;
  return new;
end $$;
comment on function registry.refuse_version_change() is 'Trigger: the state machine of a version.'
"""

NOTIFY = """
create function registry.notify_version() returns trigger language plpgsql as $$
begin
  perform pg_notify('signalbox_version', new.id::text);
  return null;
end $$;
comment on function registry.notify_version() is 'Trigger: the code server reloads on it.';
create trigger version_notify after update of state on registry.version
  for each row execute function registry.notify_version();
create function forecast.notify_slot() returns trigger language plpgsql as $$
begin
  perform pg_notify('signalbox_slot', new.version_id::text);
  return null;
end $$;
comment on function forecast.notify_slot() is 'Trigger: caches and streams refresh on it.';
create trigger slot_record_notify after insert on forecast.slot_record
  for each row when (new.leaf_index is not null) execute function forecast.notify_slot()
"""

BARS_AS_OF = """
create function market.bars_as_of(
  instrument_ids int[], start timestamptz, slot timestamptz, cutoff timestamptz, max_batch bigint)
returns table (instrument_id int, ts_open timestamptz, open float8, high float8, low float8,
               close float8, volume float8)
language sql stable security definer set search_path = pg_catalog as $$
  select distinct on (b.instrument_id, b.ts_open)
         b.instrument_id, b.ts_open, b.open, b.high, b.low, b.close, b.volume
  from market.bar b
  where b.instrument_id = any (instrument_ids)
    and b.ts_open >= start and b.ts_open < slot and b.ts_close <= slot
    and b.available_at <= cutoff and b.batch_id <= max_batch
  order by b.instrument_id, b.ts_open, b.available_at desc, b.batch_id desc
$$;
comment on function market.bars_as_of is
  'Bars as they were knowable: closed by slot, available by cutoff, learnt by max_batch.'
"""

FIND_API_KEY = """
create function account.find_api_key(key_id text)
returns table (user_id uuid, handle text, role text, secret_sha256 bytea, scopes text[],
               expires_at timestamptz, revoked_at timestamptz)
language sql stable security definer set search_path = pg_catalog as $$
  select k.user_id, u.handle, u.role, k.secret_sha256, k.scopes, k.expires_at, k.revoked_at
  from account.api_key k join account.user_account u on u.id = k.user_id
  where k.id = key_id
$$;
comment on function account.find_api_key is 'One key by its public half, before its owner is known.'
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute(REFUSE_CHANGE)
    for table in INSERT_ONLY:
        name = table.replace(".", "_")
        op.execute(
            f"create trigger {name}_insert_only before update or delete on {table}"
            " for each row execute function audit.refuse_change()"
        )
        op.execute(
            f"create trigger {name}_no_truncate before truncate on {table}"
            " for each statement execute function audit.refuse_change()"
        )
    op.execute(IMMUTABLE_VERSION)
    op.execute(
        "create trigger version_immutable before update or delete on registry.version"
        " for each row execute function registry.refuse_version_change()"
    )
    op.execute(NOTIFY)
    op.execute(BARS_AS_OF)
    op.execute(FIND_API_KEY)
    for function in (
        "market.bars_as_of(int[], timestamptz, timestamptz, timestamptz, bigint)",
        "account.find_api_key(text)",
    ):
        op.execute(f"revoke all on function {function} from public")
