-- What a person does with a subscription. Each function acts for the person of the transaction.
create or replace function billing.trial_is_free(of_signal bigint, of_user uuid, email_mark bytea)
returns boolean language sql stable security definer set search_path = pg_catalog as $$
  select not exists (
      select 1 from billing.trial_mark m where m.signal_id = of_signal and (
        (m.kind = 'user' and m.digest = sha256(convert_to(of_user::text, 'UTF8')))
        or (m.kind = 'email' and m.digest = email_mark)))
    and not exists (
      select 1 from billing.subscription s
      where s.signal_id = of_signal and s.user_id = of_user and s.had_trial) $$;
comment on function billing.trial_is_free(bigint, uuid, bytea) is
  'Has neither this account nor this e-mail address had the trial of the signal?';

-- The unique marks decide between two who ask at once: the second one waits, and finds them taken.
create or replace function billing.claim_trial(
  of_subscription uuid, of_signal bigint, of_user uuid, email_mark bytea, card_digest bytea,
  at timestamptz)
returns boolean language plpgsql security definer set search_path = pg_catalog as $$
declare
  wanted integer := 1 + (email_mark is not null)::integer + (card_digest is not null)::integer;
  got integer;
begin
  if not billing.trial_is_free(of_signal, of_user, email_mark) or exists (
      select 1 from billing.trial_mark m where m.signal_id = of_signal and m.kind = 'card'
        and m.digest = card_digest) then
    return false;
  end if;
  insert into billing.trial_mark (signal_id, kind, digest, subscription_id, at)
  select of_signal, mark.kind, mark.digest, of_subscription, claim_trial.at
  from (values ('user', sha256(convert_to(of_user::text, 'UTF8'))), ('email', email_mark),
               ('card', card_digest)) as mark (kind, digest)
  where mark.digest is not null
  on conflict do nothing;
  get diagnostics got = row_count;
  return got = wanted;
end $$;
comment on function billing.claim_trial(uuid, bigint, uuid, bytea, bytea, timestamptz) is
  'Take the one trial of an account, an e-mail address and a card; false: one of them had it.';

create or replace function billing.open_subscription(
  of_signal bigint, by_provider text, of_email_mark bytea, at timestamptz)
returns uuid language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC'
as $$
declare
  who uuid := account.current_user_id();
  made uuid := gen_random_uuid();
  terms billing.price;
  tried boolean;
begin
  if exists (select 1 from registry.signal g where g.id = of_signal and g.provider_id = who) then
    raise exception 'providers do not subscribe to themselves' using errcode = 'check_violation';
  end if;
  select o.* into strict terms from billing.price o
  where o.signal_id = of_signal and o.valid_from <= at
  order by o.valid_from desc, o.id desc limit 1;
  insert into billing.subscription (id, user_id, signal_id, price_id, state, payment_provider,
    created_at, had_trial, cancel_at_period_end, email_mark, state_since, state_known_at,
    state_why, state_by)
  values (made, who, of_signal, terms.id, 'incomplete', by_provider, at, false, false,
    of_email_mark, at, at, 'asked for', who);
  tried := by_provider = 'manual' and terms.trial_days > 0
    and billing.claim_trial(made, of_signal, who, of_email_mark, null, at);
  if tried then
    update billing.subscription s set
      state = 'trialing', had_trial = true, period_start = at,
      period_end = at + terms.trial_days * interval '1 day', state_since = at,
      state_known_at = at, state_why = 'its trial began'
    where s.id = made;
  end if;
  return made;
end $$;
comment on function billing.open_subscription(bigint, text, bytea, timestamptz) is
  'A subscription to the newest offer of a signal: in its trial where one is due, else unpaid.';

create or replace function billing.cancel(of_subscription uuid, at timestamptz)
returns boolean language plpgsql security definer set search_path = pg_catalog as $$
begin
  update billing.subscription s set
    cancel_at_period_end = true,
    cancel_why = case when s.cancel_at_period_end then s.cancel_why else 'asked' end,
    state = ended.state,
    state_since = case when ended.state = s.state then s.state_since else at end,
    state_known_at = case when ended.state = s.state then s.state_known_at else at end,
    state_why = case when ended.state = s.state then s.state_why else 'canceled' end,
    state_by = case when ended.state = s.state then s.state_by else s.user_id end
  from (select o.id, case o.state when 'incomplete' then 'expired' when 'past_due' then 'canceled'
                                  else o.state end as state
        from billing.subscription o where o.id = of_subscription for update) ended
  where s.id = ended.id and s.user_id = account.current_user_id()
    and s.state not in ('canceled', 'expired');
  return found;
end $$;
comment on function billing.cancel(uuid, timestamptz) is
  'At the end of the period; at once where nothing is paid for. False: it was over already.';

create or replace function billing.resume(of_subscription uuid)
returns boolean language plpgsql security definer set search_path = pg_catalog as $$
begin
  update billing.subscription s set cancel_at_period_end = false, cancel_why = null
  where s.id = of_subscription and s.user_id = account.current_user_id()
    and s.cancel_at_period_end and s.cancel_why is distinct from 'terms'
    and s.state in ('trialing', 'active');
  return found;
end $$;
comment on function billing.resume(uuid) is
  'Take a cancellation back. False: there is none, or the terms were withdrawn.';

revoke all on function billing.trial_is_free(bigint, uuid, bytea) from public;
revoke all on function billing.claim_trial(uuid, bigint, uuid, bytea, bytea, timestamptz) from public;
revoke all on function billing.open_subscription(bigint, text, bytea, timestamptz) from public;
revoke all on function billing.cancel(uuid, timestamptz) from public;
revoke all on function billing.resume(uuid) from public;
