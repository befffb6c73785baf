-- What payment providers say of a subscription itself: its trial, a failed payment, its end, and
-- whether it renews.
create or replace function billing.apply_trial(s billing.subscription, effect jsonb, at timestamptz)
returns boolean language plpgsql security definer set search_path = pg_catalog as $$
declare
  begins timestamptz := (effect ->> 'period_start')::timestamptz;
begin
  if s.state <> 'incomplete' then
    return false;
  end if;
  if (effect ->> 'period_end')::timestamptz - begins > interval '30 days'
     or effect ->> 'card' is null or not billing.claim_trial(
       s.id, s.signal_id, s.user_id, s.email_mark,
       sha256(convert_to(effect ->> 'card', 'UTF8')), at) then
    return false;
  end if;
  update billing.subscription x set
    state = 'trialing', had_trial = true, period_start = begins,
    period_end = (effect ->> 'period_end')::timestamptz,
    grace_until = (effect ->> 'period_end')::timestamptz + interval '3 hours',
    state_since = begins, state_known_at = at, state_why = 'its trial began', state_by = null
  where x.id = s.id;
  perform billing.settle(s.user_id, at);
  return true;
end $$;
comment on function billing.apply_trial(billing.subscription, jsonb, timestamptz) is
  'A trial at the payment provider; refused, and left unpaid, where account, e-mail or card had one.';

create or replace function billing.apply_failure(
  s billing.subscription, effect jsonb, at timestamptz, grace interval)
returns boolean language plpgsql security definer set search_path = pg_catalog as $$
declare
  was_paid boolean := exists (
    select 1 from billing.payment p where p.subscription_id = s.id and p.kind = 'paid'
      and p.gave_access and p.period_end = s.period_end);
  tolerated timestamptz := case when was_paid
    then s.period_end + least(grace, interval '3 days') end;
begin
  if s.state in ('canceled', 'expired') or exists (
      select 1 from billing.payment p where p.provider = s.payment_provider and p.kind = 'paid'
        and p.reference = effect ->> 'reference') then
    return false;
  end if;
  -- Told once for each attempt, whoever tells it again.
  if exists (select 1 from billing.outbox o where o.subscription_id = s.id
             and o.kind = 'payment.failed' and o.detail ->> 'attempt' = effect ->> 'attempt') then
    return false;
  end if;
  insert into billing.outbox (at, user_id, subscription_id, kind, detail)
  values (apply_failure.at, s.user_id, s.id, 'payment.failed', jsonb_build_object(
    'attempt', effect ->> 'attempt', 'state', s.state, 'access_until',
    greatest(s.period_end, tolerated)));
  if s.state in ('trialing', 'active') then
    update billing.subscription x set
      state = 'past_due', grace_until = tolerated, reminders = 0, state_by = null,
      state_since = coalesce((effect ->> 'at')::timestamptz, apply_failure.at),
      state_known_at = apply_failure.at, state_why = 'a payment failed'
    where x.id = s.id;
    perform billing.settle(s.user_id, at);
  elsif s.state = 'past_due' then
    update billing.subscription x set grace_until = greatest(x.grace_until, tolerated)
    where x.id = s.id;
  end if;
  return true;
end $$;
comment on function billing.apply_failure(billing.subscription, jsonb, timestamptz, interval) is
  'A payment that failed: past due, with access for the grace after a period that was paid.';

create or replace function billing.close(
  of_subscription uuid, ended_at timestamptz, at timestamptz, reason text)
returns boolean language plpgsql security definer set search_path = pg_catalog as $$
begin
  update billing.subscription x set
    state = case when x.state = 'incomplete' then 'expired' else 'canceled' end,
    state_since = ended_at, state_known_at = at, state_why = reason, state_by = null
  where x.id = of_subscription and x.state not in ('canceled', 'expired');
  return found;
end $$;
comment on function billing.close(uuid, timestamptz, timestamptz, text) is
  'End a subscription at once, where it is open.';

create or replace function billing.apply_end(s billing.subscription, effect jsonb, at timestamptz)
returns boolean language sql security definer set search_path = pg_catalog as $$
  select billing.close(s.id, coalesce((effect ->> 'at')::timestamptz, at), at,
                       'ended at the payment provider') $$;
comment on function billing.apply_end(billing.subscription, jsonb, timestamptz) is
  'The payment provider ended it.';

-- A cancellation that was asked for here stands until the provider has heard of it ("agreed"); from
-- then on the provider's page may take it back.
create or replace function billing.apply_renewal(s billing.subscription, effect jsonb)
returns boolean language plpgsql security definer set search_path = pg_catalog as $$
declare
  ends boolean := (effect ->> 'ends')::boolean;
begin
  update billing.subscription x set
    cancel_at_period_end = ends,
    cancel_why = case when ends then 'agreed' end
  where x.id = s.id and x.state in ('trialing', 'active')
    and x.cancel_why is distinct from 'terms'
    and ((ends and x.cancel_why is distinct from 'agreed')
         or (not ends and x.cancel_why = 'agreed'));
  return found;
end $$;
comment on function billing.apply_renewal(billing.subscription, jsonb) is
  'Whether it ends with its period, as the payment provider has it.';

revoke all on function billing.apply_trial(billing.subscription, jsonb, timestamptz) from public;
revoke all on function
  billing.apply_failure(billing.subscription, jsonb, timestamptz, interval) from public;
revoke all on function billing.apply_end(billing.subscription, jsonb, timestamptz) from public;
revoke all on function billing.apply_renewal(billing.subscription, jsonb) from public;
revoke all on function billing.close(uuid, timestamptz, timestamptz, text) from public;
