alter table billing.subscription enable row level security;
alter table billing.subscription force row level security;

drop policy if exists owner_everything on billing.subscription;
create policy owner_everything on billing.subscription to signalbox_owner
  using (true) with check (true);

drop policy if exists own_subscriptions on billing.subscription;
create policy own_subscriptions on billing.subscription to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());

drop policy if exists worker_reads on billing.subscription;
create policy worker_reads on billing.subscription for select to signalbox_worker using (true);

create or replace function billing.is_entitled(of_signal bigint) returns boolean
language sql stable security definer set search_path = pg_catalog as $$
  select exists (
    select 1 from billing.subscription s
    where s.user_id = account.current_user_id() and s.signal_id = of_signal
      and s.state in ('trialing', 'active', 'past_due')
      and s.period_start <= account.current_instant()
      and case when s.cancel_at_period_end then s.period_end
               else greatest(s.period_end, s.grace_until) end > account.current_instant())
  or exists (
    select 1 from registry.signal g
    where g.id = of_signal and g.provider_id = account.current_user_id())
$$;
comment on function billing.is_entitled(bigint) is
  'May the person of this transaction read the forecasts of a signal at its instant?';
revoke all on function billing.is_entitled(bigint) from public;
