-- Events become deliveries once: one row says up to where, and who moves it on holds it. What a
-- delivery is about is named, not copied: it is read when it is sent, as the webhook's owner.
create or replace function account.queue_deliveries(
  world_at timestamptz, platform_at timestamptz, at_most integer)
returns boolean language plpgsql security definer set search_path = pg_catalog as $$
declare
  here account.webhook_cursor;
  last_leaf bigint;
  head_leaf bigint;
  head_xid bigint;
  people uuid[];
  queued bigint;
begin
  select c.* into here from account.webhook_cursor c for update skip locked;
  if not found then
    return false;
  end if;
  select coalesce(max(l.index), -1), (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint - 1
  into head_leaf, head_xid from transparency.leaf l;
  -- Only a backup that was put back takes them back: go on from there.
  if head_leaf < here.leaf_index or head_xid < least(here.outbox_xid, here.version_xid) then
    update account.webhook_cursor c set leaf_index = least(head_leaf, here.leaf_index),
      outbox_xid = least(head_xid, here.outbox_xid), version_xid = least(head_xid, here.version_xid)
    where c.id = here.id returning c.* into here;
  end if;
  last_leaf := least(head_leaf, here.leaf_index + at_most);
  people := array(select distinct w.user_id from account.webhook w where w.disabled_at is null);

  insert into account.webhook_delivery
    (id, webhook_id, user_id, type, leaf_index, created_at, state, next_attempt_at)
  with told as (
    select l.index, l.signal_id, r.recorded_at,
           case l.kind when 'forecast/v1' then 'forecast' else 'missed' end as type,
           row_number() over (order by l.index) as n
    from transparency.leaf l join forecast.slot_record r on r.leaf_index = l.index
    where l.index > here.leaf_index and l.index <= last_leaf and l.slot is not null),
  asked as (select array_agg(t.signal_id order by t.n) as signals,
                   array_agg(t.recorded_at order by t.n) as known_at from told t)
  select gen_random_uuid(), w.id, w.user_id, t.type, t.index, world_at, 'pending', world_at
  from asked cross join lateral billing.entitled_people(
         people, asked.signals, asked.known_at, platform_at) e
  join told t on t.n = e.n
  join account.webhook w on w.user_id = e.user_id and w.disabled_at is null
    and t.type = any (w.events)
  order by t.index
  on conflict do nothing;
  get diagnostics queued = row_count;

  if head_xid > here.outbox_xid then
    insert into account.webhook_delivery
      (id, webhook_id, user_id, type, outbox_id, created_at, state, next_attempt_at)
    select gen_random_uuid(), w.id, w.user_id, o.kind, o.id, world_at, 'pending', world_at
    from billing.outbox o
    join account.webhook w on w.user_id = o.user_id and w.disabled_at is null
      and split_part(o.kind, '.', 1) || '.*' = any (w.events)
    where o.xid > here.outbox_xid and o.xid <= head_xid
    order by o.xid, o.id
    on conflict do nothing;
  end if;
  if head_xid > here.version_xid then
    insert into account.webhook_delivery
      (id, webhook_id, user_id, type, version_event_id, created_at, state, next_attempt_at)
    select gen_random_uuid(), w.id, w.user_id, 'version.' || v.to_state, v.id, world_at, 'pending', world_at
    from registry.version_event v
    join registry.version r on r.id = v.version_id
    cross join lateral billing.entitled_people(
      people, array[r.signal_id], array[v.at], platform_at) e
    join account.webhook w on w.user_id = e.user_id and w.disabled_at is null
      and 'version.*' = any (w.events)
    where v.xid > here.version_xid and v.xid <= head_xid
      and v.to_state in ('live', 'offline', 'retired')
    order by v.xid, v.id
    on conflict do nothing;
  end if;

  -- Transactions come and go all the time: the row is written where something is behind it.
  if last_leaf > here.leaf_index or exists (
      select from billing.outbox o where o.xid > here.outbox_xid and o.xid <= head_xid)
     or exists (select from registry.version_event v
                where v.xid > here.version_xid and v.xid <= head_xid) then
    update account.webhook_cursor c set leaf_index = last_leaf,
      outbox_xid = greatest(head_xid, here.outbox_xid),
      version_xid = greatest(head_xid, here.version_xid)
    where c.id = here.id;
  end if;
  return last_leaf < head_leaf;
end $$;
comment on function account.queue_deliveries(timestamptz, timestamptz, integer) is
  'Queue what happened since the last time for the webhooks of those entitled; is there more to do?';
revoke all on function account.queue_deliveries(timestamptz, timestamptz, integer) from public;

create or replace function account.take_webhook(at timestamptz, lease interval, busy_hosts text[])
returns table (id uuid, user_id uuid, host text)
language sql security definer set search_path = pg_catalog as $$
  update account.webhook x set not_before = at + lease
  where x.id = (
    select w.id from account.webhook w
    where w.disabled_at is null and w.not_before <= at and w.host <> all (busy_hosts)
      and exists (select from account.webhook_delivery d
                  where d.webhook_id = w.id and d.state = 'pending' and d.next_attempt_at <= at)
    order by w.not_before limit 1 for update skip locked)
  returning x.id, x.user_id, x.host $$;
comment on function account.take_webhook(timestamptz, interval, text[]) is
  'A webhook with something to send: whoever takes it is alone with it until the lease is over.';
revoke all on function account.take_webhook(timestamptz, interval, text[]) from public;

create or replace function account.forget_deliveries(before timestamptz, at_most integer)
returns integer language sql security definer set search_path = pg_catalog as $$
  with old as (
    select d.id from account.webhook_delivery d where d.created_at < before
    order by d.created_at limit at_most for update skip locked),
  gone as (delete from account.webhook_delivery d using old where d.id = old.id returning 1)
  select count(*)::integer from gone $$;
comment on function account.forget_deliveries(timestamptz, integer) is
  'Forget deliveries that were queued before an instant; how many.';
revoke all on function account.forget_deliveries(timestamptz, integer) from public;

create or replace function account.deliveries_waiting()
returns table (waiting bigint, oldest timestamptz)
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
  perform account.demand_operator();
  return query select count(*), min(d.created_at) from account.webhook_delivery d
    where d.state = 'pending';
end $$;
comment on function account.deliveries_waiting() is
  'Events that are still to be sent to webhooks, for operators.';
revoke all on function account.deliveries_waiting() from public;
