-- A new price binds new subscribers. Old ones keep theirs until they consent to a proposal; where the
-- provider withdraws the old terms, who does not consent ends with the period (billing.give_notice).
create or replace function billing.append_price_leaf(offer billing.price, at timestamptz)
returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
  signal text;
  last record;
  said bytea;
begin
  perform pg_advisory_xact_lock(2);
  select p.handle || '/' || g.name into signal
  from registry.signal g join account.user_account p on p.id = g.provider_id
  where g.id = offer.signal_id;
  select l.seq, encode(l.leaf_hash, 'hex') as hash into last from transparency.leaf l
  where l.signal_id = offer.signal_id order by l.seq desc limit 1;
  -- Canonical, as sql/log.py writes it: keys in order, no white space, nothing that JSON would escape.
  said := convert_to(format(
    '{"amount_minor":%s,"currency":"%s","kind":"price/v1","prev":"%s","reveal_after_hours":%s,'
    '"seq":%s,"sig":"%s","trial_days":%s}', offer.amount_minor, offer.currency,
    coalesce(last.hash, ''), offer.reveal_after_hours, coalesce(last.seq + 1, 0), signal,
    offer.trial_days), 'UTF8');
  insert into transparency.leaf (index, kind, signal_id, seq, body, leaf_hash, appended_at)
  select coalesce(max(l.index) + 1, 0), 'price/v1', offer.signal_id, coalesce(last.seq + 1, 0),
         said, sha256('\x00'::bytea || said), at
  from transparency.leaf l;
end $$;
comment on function billing.append_price_leaf(billing.price, timestamptz) is
  'A price that changes says so in the log.';

create or replace function billing.make_offer(
  of_signal bigint, new_amount_minor bigint, new_currency text, new_trial_days integer,
  to_subscribers_from timestamptz, withdraw boolean, at timestamptz)
returns bigint language plpgsql security definer set search_path = pg_catalog as $$
declare
  last billing.price;
  made billing.price;
  proposed bigint;
begin
  if not exists (select 1 from registry.signal g
                 where g.id = of_signal and g.provider_id = account.current_user_id()) then
    raise exception 'only its provider offers a signal' using errcode = 'insufficient_privilege';
  end if;
  select o.* into strict last from billing.price o where o.signal_id = of_signal
  order by o.id desc limit 1;
  if to_subscribers_from is not null and new_currency <> last.currency then
    raise exception 'a proposal keeps the currency %', last.currency
      using errcode = 'check_violation', constraint = 'proposal_currency';
  end if;
  insert into billing.price (signal_id, amount_minor, currency, trial_days, reveal_after_hours,
                             valid_from)
  values (of_signal, new_amount_minor, new_currency, new_trial_days, last.reveal_after_hours, at)
  returning * into made;
  perform billing.append_price_leaf(made, at);
  if to_subscribers_from is null then
    return made.id;
  end if;
  insert into billing.proposal (signal_id, price_id, proposed_at, effective_from, ends_old_terms)
  values (of_signal, made.id, at, to_subscribers_from, withdraw) returning id into proposed;
  insert into billing.outbox (at, user_id, subscription_id, kind, detail)
  select make_offer.at, s.user_id, s.id, 'offer.proposed', jsonb_build_object(
    'proposal', proposed, 'amount_minor', made.amount_minor, 'currency', made.currency,
    'effective_from', to_subscribers_from, 'ends_old_terms', withdraw)
  from billing.subscription s
  where s.signal_id = of_signal and s.state in ('trialing', 'active', 'past_due');
  return made.id;
end $$;
comment on function billing.make_offer(bigint, bigint, text, integer, timestamptz, boolean, timestamptz)
  is 'A new price for new subscribers; with a date also proposed to those there are.';

create or replace function billing.open_proposal(of_subscription uuid, at timestamptz)
returns setof billing.proposal language sql stable security definer set search_path = pg_catalog as $$
  select p.* from billing.proposal p join billing.subscription s on s.signal_id = p.signal_id
  where s.id = of_subscription and s.state in ('trialing', 'active', 'past_due')
    and p.proposed_at <= at and p.price_id > s.price_id
    and not exists (select 1 from billing.consent c join billing.proposal q on q.id = c.proposal_id
                    where c.subscription_id = s.id and q.price_id >= p.price_id)
  order by p.id desc limit 1 $$;
comment on function billing.open_proposal(uuid, timestamptz) is
  'The newest proposal that awaits a subscriber''s answer; none where all are answered.';

create or replace function billing.consent(of_subscription uuid, at timestamptz)
returns bigint language plpgsql security definer set search_path = pg_catalog as $$
declare
  proposed bigint;
begin
  perform 1 from billing.subscription s
  where s.id = of_subscription and s.user_id = account.current_user_id() for update;
  if not found then
    return null;
  end if;
  select p.id into proposed from billing.open_proposal(of_subscription, consent.at) p;
  if proposed is null then
    return null;
  end if;
  insert into billing.consent (subscription_id, proposal_id, at)
  values (of_subscription, proposed, consent.at);
  update billing.subscription s set cancel_at_period_end = false, cancel_why = null
  where s.id = of_subscription and s.cancel_why = 'terms';
  return proposed;
end $$;
comment on function billing.consent(uuid, timestamptz) is
  'Accept the newest proposal, for periods from its date on; null: there is none to accept.';

create or replace function billing.price_of(of_subscription uuid, period_start timestamptz)
returns billing.price language sql stable security definer set search_path = pg_catalog as $$
  select o.* from billing.price o join billing.subscription s on s.id = of_subscription
  where o.id = coalesce((
    select max(p.price_id) from billing.consent c join billing.proposal p on p.id = c.proposal_id
    where c.subscription_id = of_subscription and p.effective_from <= price_of.period_start), s.price_id) $$;
comment on function billing.price_of(uuid, timestamptz) is
  'The terms agreed for a period of a subscription that begins then.';

revoke all on function billing.append_price_leaf(billing.price, timestamptz) from public;
revoke all on function
  billing.make_offer(bigint, bigint, text, integer, timestamptz, boolean, timestamptz) from public;
revoke all on function billing.open_proposal(uuid, timestamptz) from public;
revoke all on function billing.consent(uuid, timestamptz) from public;
revoke all on function billing.price_of(uuid, timestamptz) from public;
