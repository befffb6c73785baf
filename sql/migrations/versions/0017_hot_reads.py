"""Notices by which API processes keep answers, entitlements and sessions, and forget them in time."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Each notice names one signal or person, and is short: a payload of 8,000 bytes would fail the
# insert. Beyond fifty of them everything is forgotten at once, which is cheaper for those who hear.
NOTIFY = """
create function registry.notify_signals() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
  ids bigint[];
  first_rows bigint;
begin
  -- The first rows of a tick of many versions tell that there are many: the others are not joined.
  foreach first_rows in array array[500, null]::bigint[] loop
    if tg_argv[0] = 'version' then
      select array_agg(distinct v.signal_id) into ids
      from (select distinct x.version_id from (select * from changed limit first_rows) x) c
      join registry.version v on v.id = c.version_id;
    elsif tg_argv[0] = 'record' then
      select array_agg(distinct v.signal_id) into ids
      from (select distinct r.version_id from (select * from changed limit first_rows) c
            join forecast.slot_record r on r.id = c.slot_record_id) x
      join registry.version v on v.id = x.version_id;
    elsif tg_argv[0] = 'signal' then
      select array_agg(distinct c.signal_id) into ids from changed c;
    else
      select array_agg(distinct c.id) into ids from changed c;
    end if;
    exit when cardinality(ids) > 50
      or (select count(*) from (select from changed limit first_rows + 1) c) <= first_rows;
  end loop;
  if cardinality(ids) > 50 then
    perform pg_notify('signalbox_signal', '');
  else
    perform pg_notify('signalbox_signal', id::text) from unnest(ids) id;
  end if;
  return null;
end $$;
comment on function registry.notify_signals() is
  'Trigger: what is answered about these signals has changed; an empty payload means all.';

create function registry.notify_every_signal() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
  perform pg_notify('signalbox_signal', '');
  return null;
end $$;
comment on function registry.notify_every_signal() is
  'Trigger: what is answered about any signal may have changed.';

create function billing.notify_entitlement() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
  ids uuid[];
begin
  select array_agg(distinct c.user_id) into ids from changed c;
  if cardinality(ids) > 50 then
    perform pg_notify('signalbox_entitlement', '');
  else
    perform pg_notify('signalbox_entitlement', id::text) from unnest(ids) id;
  end if;
  return null;
end $$;
create function billing.notify_everybody() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
  perform pg_notify('signalbox_entitlement', '');
  return null;
end $$;
comment on function billing.notify_everybody() is
  'Trigger: what anybody may read may have changed, or where it is found.';
comment on function billing.notify_entitlement() is
  'Trigger: what these people may read has changed; an empty payload means everybody.'
"""

# (table, what its rows name, events)
SOURCES = (
    ("forecast.slot_record", "version", ("insert",)),
    ("forecast.forecast", "record", ("insert",)),
    ("forecast.opening", "record", ("insert",)),
    ("score.score", "record", ("insert",)),
    ("score.performance", "signal", ("insert", "update", "delete")),
    ("score.rule_return", "signal", ("insert", "update", "delete")),
    ("registry.version", "signal", ("insert", "update")),
    ("registry.signal", "id", ("insert", "update")),
)

SESSIONS = """
create trigger session_notify after update of ended_at, has_totp or delete on account.session
  for each row execute function account.notify_credential('user_id');
create trigger user_account_left_notify after update of deleted_at on account.user_account
  for each row execute function account.notify_credential('id');
create trigger user_account_renamed_notify after update on account.user_account
  for each row when (old.handle is distinct from new.handle)
  execute function billing.notify_everybody();
create trigger version_notify_everybody after insert or update on registry.version
  for each statement execute function billing.notify_everybody();
create trigger signal_notify_everybody after insert or update on registry.signal
  for each statement execute function billing.notify_everybody();
create trigger quorum_notify_signals after insert on transparency.quorum
  for each statement execute function registry.notify_every_signal();
create trigger instrument_notify_signals after insert or update or delete on market.instrument
  for each statement execute function registry.notify_every_signal()
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute(NOTIFY)
    for table, named, events in SOURCES:
        for event in events:
            _trigger(table, event, f"registry.notify_signals('{named}')", "signals")
    for event in ("insert", "update", "delete"):
        _trigger("billing.subscription", event, "billing.notify_entitlement()", "entitlement")
    op.execute(SESSIONS)


def _trigger(table: str, event: str, function: str, named: str) -> None:
    rows = "old" if event == "delete" else "new"
    op.execute(
        f"create trigger {table.partition('.')[2]}_{event}_notify_{named} after {event} on {table}"
        f" referencing {rows} table as changed for each statement execute function {function}"
    )
