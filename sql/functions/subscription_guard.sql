-- The state machine of a subscription, for whoever changes it: a trigger binds the superuser too.
--
--   incomplete -> trialing | active | expired
--   trialing   -> active | past_due | canceled | expired
--   active     -> past_due | canceled
--   past_due   -> active | canceled | expired
--
-- Each change is an event and a line of the outbox in the same transaction. Who changes a state says
-- when it came about, why and by whom in the row itself; what says nothing is noted as done by hand.
create or replace function billing.guard_subscription() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
  if tg_op <> 'UPDATE' then
    raise exception 'billing.subscription keeps every subscription: % refused', tg_op
      using errcode = 'insufficient_privilege';
  end if;
  if (new.id, new.user_id, new.signal_id, new.payment_provider, new.created_at)
     is distinct from (old.id, old.user_id, old.signal_id, old.payment_provider, old.created_at)
     or (old.external_id is not null and new.external_id is distinct from old.external_id) then
    raise exception 'a subscription keeps its subscriber, signal and payment provider'
      using errcode = 'insufficient_privilege';
  end if;
  if new.had_trial <> old.had_trial and (old.state, new.state) <> ('incomplete', 'trialing') then
    raise exception 'a trial begins with the subscription' using errcode = 'check_violation';
  end if;
  if new.price_id <> old.price_id and not exists (
      select 1 from billing.consent c join billing.proposal p on p.id = c.proposal_id
      where c.subscription_id = new.id and p.price_id = new.price_id) then
    raise exception 'a subscription keeps its price until its subscriber consents to another'
      using errcode = 'check_violation';
  end if;
  if new.state = old.state then
    return new;
  end if;
  if (old.state, new.state) not in (
      ('incomplete', 'trialing'), ('incomplete', 'active'), ('incomplete', 'expired'),
      ('trialing', 'active'), ('trialing', 'past_due'), ('trialing', 'canceled'),
      ('trialing', 'expired'), ('active', 'past_due'), ('active', 'canceled'),
      ('past_due', 'active'), ('past_due', 'canceled'), ('past_due', 'expired')) then
    raise exception 'a subscription cannot go from % to %', old.state, new.state
      using errcode = 'check_violation';
  end if;
  if (new.state_since, new.state_known_at, new.state_why)
     is not distinct from (old.state_since, old.state_known_at, old.state_why) then
    new.state_since := account.current_instant();
    new.state_known_at := account.current_instant();
    new.state_why := 'by hand';
    new.state_by := null;
  end if;
  return new;
end $$;
comment on function billing.guard_subscription() is
  'Trigger: the state machine of a subscription, and what of it never changes.';

create or replace function billing.note_subscription() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
  before text := case when tg_op = 'UPDATE' then old.state end;
begin
  insert into billing.subscription_event
    (subscription_id, happened_at, known_at, from_state, to_state, why, actor_id)
  values (new.id, new.state_since, new.state_known_at, before, new.state, new.state_why,
          new.state_by);
  insert into billing.outbox (at, user_id, subscription_id, kind, detail)
  values (new.state_known_at, new.user_id, new.id, 'subscription.' || new.state,
          jsonb_build_object('from', before, 'to', new.state, 'why', new.state_why,
                             'since', new.state_since, 'period_end', new.period_end));
  return null;
end $$;
comment on function billing.note_subscription() is
  'Trigger: an event and a line of the outbox for each change of state.';
revoke all on function billing.note_subscription() from public;

create or replace function billing.notify_outbox() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
  perform pg_notify('signalbox_billing', new.id::text);
  return null;
end $$;
comment on function billing.notify_outbox() is 'Trigger: readers of the outbox look again.';

create or replace trigger subscription_guard before update or delete on billing.subscription
  for each row execute function billing.guard_subscription();
create or replace trigger subscription_no_truncate before truncate on billing.subscription
  for each statement execute function billing.guard_subscription();
create or replace trigger subscription_opened after insert on billing.subscription
  for each row execute function billing.note_subscription();
create or replace trigger subscription_moved after update on billing.subscription
  for each row when (old.state <> new.state) execute function billing.note_subscription();
create or replace trigger outbox_notify after insert on billing.outbox
  for each row execute function billing.notify_outbox();

-- Rows of one transaction have one xid, and none below the oldest that still runs can appear later:
-- a reader who remembers (xid, id) misses nothing and sees nothing twice.
create or replace function billing.outbox_after(after_xid bigint, after_id bigint, at_most integer)
returns setof billing.outbox language sql stable security invoker set search_path = pg_catalog as $$
  select o.* from billing.outbox o
  where (o.xid, o.id) > (after_xid, after_id)
    and o.xid < (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint
  order by o.xid, o.id limit at_most $$;
comment on function billing.outbox_after(bigint, bigint, integer) is
  'The next lines of the outbox that the asker may see, after (xid, id); (0, 0) is the beginning.';
