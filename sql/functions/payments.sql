-- What payment providers tell us, applied. Theory of operation: an event is stored in the inbox first
-- (billing.payment_event). What it means is then read anew from the provider, as a list of effects, and
-- billing.apply_event applies the list in one transaction that also notes that the event had its turn.
-- Each effect is known by the provider's own reference of the invoice, refund or dispute, so that an
-- event that comes twice, late, in another order or by reconciliation has its effect once. What closed
-- stays closed: money for it is booked, gives no access, and is shown as to be refunded.
create or replace function billing.apply_event(
  of_provider text, of_event text, effects jsonb, at timestamptz, grace interval)
returns boolean language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC'
as $$
declare
  arrived bigint;
  effect jsonb;
  changed boolean := false;
begin
  select e.id into strict arrived from billing.payment_event e
  where e.provider = of_provider and e.external_id = of_event for update;
  if exists (select 1 from billing.applied_event a where a.event_id = arrived) then
    return false;
  end if;
  for effect in select x.value from jsonb_array_elements(effects) x loop
    changed := billing.apply_effect(of_provider, effect, at, grace) or changed;
  end loop;
  insert into billing.applied_event (event_id, at, effects, had_effect)
  select arrived, apply_event.at, coalesce(jsonb_agg(x.value - 'card'), '[]'), changed
  from jsonb_array_elements(effects) x;
  return changed;
end $$;
comment on function billing.apply_event(text, text, jsonb, timestamptz, interval) is
  'Apply what an event of the inbox says, once; whether anything changed. Raises no_data_found for an'
  ' event that is not in the inbox.';

create or replace function billing.apply_effect(
  of_provider text, effect jsonb, at timestamptz, grace interval)
returns boolean language plpgsql security definer set search_path = pg_catalog as $$
declare
  s billing.subscription;
  theirs text := effect ->> 'external_id';
begin
  select x.* into s from billing.subscription x where x.id = (effect ->> 'subscription')::uuid;
  if s.id is null or s.user_id <> coalesce((effect ->> 'user')::uuid, s.user_id) then
    return false;
  end if;
  if s.payment_provider <> of_provider then
    raise exception 'subscription % is paid by %, not by %', s.id, s.payment_provider, of_provider
      using errcode = 'check_violation', constraint = 'subscription_payment_provider';
  end if;
  perform billing.settle(s.user_id, at);
  select x.* into s from billing.subscription x where x.id = s.id for update;
  if s.external_id is null and theirs is not null and s.state not in ('canceled', 'expired') then
    update billing.subscription x set external_id = theirs where x.id = s.id returning x.* into s;
  end if;
  case effect ->> 'kind'
    when 'paid' then return billing.apply_paid(s, effect, at);
    when 'refunded', 'charged_back' then return billing.apply_reversal(s, effect, at);
    else null;
  end case;
  -- A second subscription of theirs to one of ours may bring money, and says nothing else.
  if theirs is distinct from s.external_id then
    return false;
  end if;
  return case effect ->> 'kind'
    when 'trial' then billing.apply_trial(s, effect, at)
    when 'failed' then billing.apply_failure(s, effect, at, grace)
    when 'ended' then billing.apply_end(s, effect, at)
    when 'renewal' then billing.apply_renewal(s, effect)
  end;
end $$;
comment on function billing.apply_effect(text, jsonb, timestamptz, interval) is
  'One effect on one subscription; see sql/payments/effects.py.';

create or replace function billing.apply_paid(s billing.subscription, effect jsonb, at timestamptz)
returns boolean language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC'
as $$
declare
  paid_at timestamptz := coalesce((effect ->> 'at')::timestamptz, at);
  begins timestamptz := coalesce((effect ->> 'period_start')::timestamptz,
                                 case when s.period_end > at then s.period_end else at end);
  ends timestamptz := coalesce((effect ->> 'period_end')::timestamptz, begins + interval '1 month');
  is_open boolean := s.state not in ('canceled', 'expired')
    and (effect ->> 'external_id') is not distinct from s.external_id;
  has_period boolean := effect ? 'period_start';
  terms billing.price := billing.price_of(s.id, begins);
  amount bigint;
  unit text := coalesce(effect ->> 'currency', terms.currency);
  booked text := s.payment_provider || ':' || (effect ->> 'reference');
  credit bigint := 0;
  number text;
begin
  if exists (select 1 from billing.payment p where p.provider = s.payment_provider
             and p.reference = effect ->> 'reference') then
    return false;
  end if;
  -- The test payment asks for nothing where nothing is due.
  if not has_period and (not is_open or s.cancel_why = 'terms'
                         or (s.state = 'active' and s.period_end > at)) then
    return false;
  end if;
  amount := coalesce((effect ->> 'amount_minor')::bigint, terms.amount_minor);
  -- Who collects by period has taken our credit off already: its amount is the money alone.
  credit := ledger.apply_credit(s.id, booked,
    case when has_period then coalesce((effect ->> 'credit_minor')::bigint, 0) else amount end,
    paid_at, at);
  if has_period then
    amount := amount + credit;
  end if;
  if amount > 0 then
    number := ledger.invoice_paid(s.id, booked, begins, ends, amount, unit,
      coalesce((effect ->> 'fee_minor')::bigint, 0), s.payment_provider, paid_at, at);
  end if;
  if effect ->> 'card' <> '' then
    perform ledger.card_used(s.user_id, effect ->> 'card', at);
  end if;
  insert into billing.payment (provider, reference, kind, subscription_id, invoice, amount_minor,
    currency, period_start, period_end, gave_access, happened_at, known_at)
  values (s.payment_provider, effect ->> 'reference', 'paid', s.id, number, amount - credit, unit,
    begins, ends, is_open, paid_at, at);
  insert into billing.outbox (at, user_id, subscription_id, kind, detail)
  values (apply_paid.at, s.user_id, s.id,
    case when is_open then 'payment.paid' else 'payment.without_access' end, jsonb_build_object(
      'invoice', number, 'amount_minor', amount - credit, 'currency', unit, 'period_end', ends));
  if is_open then
    update billing.subscription x set
      state = 'active', price_id = terms.id, reminders = 0,
      state_since = case when x.state = 'active' then x.state_since else paid_at end,
      state_known_at = case when x.state = 'active' then x.state_known_at else at end,
      state_why = case when x.state = 'active' then x.state_why else 'paid' end,
      state_by = case when x.state = 'active' then x.state_by end,
      period_start = case when ends <= x.period_end or (begins > at and x.period_end > at)
                          then x.period_start else begins end,
      period_end = greatest(x.period_end, ends),
      -- A provider that collects by itself does so an hour after the period, as Stripe does.
      grace_until = case when has_period then greatest(x.period_end, ends) + interval '3 hours' end,
      cancel_at_period_end = has_period and x.cancel_at_period_end,
      cancel_why = case when has_period then x.cancel_why end
    where x.id = s.id;
    perform billing.settle(s.user_id, at);
  end if;
  return true;
end $$;
comment on function billing.apply_paid(billing.subscription, jsonb, timestamptz) is
  'A paid invoice: booked in any case; gives access to its period where the subscription is open.';

create or replace function billing.apply_reversal(
  s billing.subscription, effect jsonb, at timestamptz)
returns boolean language plpgsql security definer set search_path = pg_catalog as $$
declare
  happened timestamptz := coalesce((effect ->> 'at')::timestamptz, at);
  is_refund boolean := effect ->> 'kind' = 'refunded';
  paid billing.payment;
  before bigint;
  amount bigint;
begin
  select p.* into paid from billing.payment p
  where p.provider = s.payment_provider and p.kind = 'paid' and p.subscription_id = s.id
    and p.reference = effect ->> 'paid_reference' for update;
  if paid.id is null or exists (
      select 1 from billing.payment p
      where p.provider = s.payment_provider and p.reference = effect ->> 'reference') then
    return false;
  end if;
  select coalesce(sum(p.amount_minor), 0) into before from billing.payment p
  where p.provider = s.payment_provider and p.paid_reference = paid.reference;
  amount := coalesce((effect ->> 'amount_minor')::bigint, paid.amount_minor - before);
  if amount <= 0 then
    return false;
  end if;
  if is_refund then
    perform ledger.refund(paid.invoice, s.payment_provider || ':' || (effect ->> 'reference'),
      amount, happened, at);
  else
    perform ledger.chargeback(paid.invoice, s.payment_provider || ':' || (effect ->> 'reference'),
      amount, coalesce((effect ->> 'fee_minor')::bigint, 0), happened, at);
  end if;
  insert into billing.payment (provider, reference, kind, subscription_id, paid_reference, invoice,
    amount_minor, currency, period_start, period_end, gave_access, happened_at, known_at)
  values (s.payment_provider, effect ->> 'reference',
    case when is_refund then 'refund' else 'chargeback' end, s.id, paid.reference, paid.invoice,
    amount, paid.currency, paid.period_start, paid.period_end, false, happened, at);
  insert into billing.outbox (at, user_id, subscription_id, kind, detail)
  values (apply_reversal.at, s.user_id, s.id,
    case when is_refund then 'payment.refunded' else 'payment.charged_back' end, jsonb_build_object(
      'invoice', paid.invoice, 'amount_minor', amount, 'currency', paid.currency));
  -- Who has the money of the newest period back has no access to the rest of it, nor grace.
  if paid.gave_access and paid.period_end >= s.period_end
     and (not is_refund or before + amount >= paid.amount_minor) then
    perform billing.close(s.id, at, at, case when is_refund then 'its payment was refunded'
                                             else 'its payment was charged back' end);
  end if;
  return true;
end $$;
comment on function billing.apply_reversal(billing.subscription, jsonb, timestamptz) is
  'A refund or a lost dispute: booked; the whole of a running period back ends the subscription.';

revoke all on function billing.apply_event(text, text, jsonb, timestamptz, interval) from public;
revoke all on function billing.apply_effect(text, jsonb, timestamptz, interval) from public;
revoke all on function billing.apply_paid(billing.subscription, jsonb, timestamptz) from public;
revoke all on function billing.apply_reversal(billing.subscription, jsonb, timestamptz) from public;

-- Found by what payment providers and operators know of it, before its subscriber is known.
create or replace function billing.as_we_have_it(of_subscription uuid)
returns table (state text, external_id text, cancel_at_period_end boolean, amount_minor bigint,
               currency text)
language sql stable security definer set search_path = pg_catalog as $$
  select s.state, s.external_id, s.cancel_at_period_end, o.amount_minor, o.currency
  from billing.subscription s
  cross join lateral billing.price_of(s.id, coalesce(s.period_end, s.created_at)) o
  where s.id = of_subscription $$;
comment on function billing.as_we_have_it(uuid) is
  'A subscription, and what its next period costs, as its payment provider should have it.';
create or replace function billing.find_payment(of_invoice text)
returns table (provider text, reference text, subscription_id uuid, user_id uuid, left_minor bigint)
language sql stable security definer set search_path = pg_catalog as $$
  select p.provider, p.reference, p.subscription_id, s.user_id,
         p.amount_minor - (select coalesce(sum(b.amount_minor), 0)::bigint from billing.payment b
                           where b.provider = p.provider and b.paid_reference = p.reference)
  from billing.payment p join billing.subscription s on s.id = p.subscription_id
  where p.kind = 'paid' and p.invoice = of_invoice $$;
comment on function billing.find_payment(text) is
  'The payment of an invoice, and what of it did not go back yet; for operators'' refunds.';
revoke all on function billing.as_we_have_it(uuid) from public;
revoke all on function billing.find_payment(text) from public;
create or replace function billing.usable_credit(of_subscription uuid) returns bigint
language sql stable security definer set search_path = pg_catalog as $$
  select case when s.payment_provider = 'manual' or s.id = (
      select o.id from billing.subscription o join billing.price q on q.id = o.price_id
      where o.user_id = s.user_id and o.payment_provider = s.payment_provider
        and q.currency = p.currency and o.external_id is not null
        and o.state not in ('canceled', 'expired')
      order by o.created_at, o.id limit 1)
    then ledger.credit_balance(s.id) else 0 end
  from billing.subscription s join billing.price p on p.id = s.price_id
  where s.id = of_subscription $$;
comment on function billing.usable_credit(uuid) is
  'Credit that the next invoice of a subscription takes off. At a payment provider with balances of'
  ' its own, the oldest open subscription of a currency has it all: it cannot be in two places.';
create or replace function billing.is_booked(of_provider text, of_reference text) returns boolean
language sql stable security definer set search_path = pg_catalog as $$
  select exists (select from billing.payment p
                 where p.provider = of_provider and p.reference = of_reference) $$;
comment on function billing.is_booked(text, text) is
  'Whether money that a payment provider names has been booked.';
revoke all on function billing.usable_credit(uuid) from public;
revoke all on function billing.is_booked(text, text) from public;

create or replace function billing.due_minor(of_subscription uuid, at timestamptz) returns bigint
language sql stable security definer set search_path = pg_catalog as $$
  select greatest(0, o.amount_minor - billing.usable_credit(s.id))
  from billing.subscription s
  cross join lateral billing.price_of(s.id, greatest(s.period_end, at)) o
  where s.id = of_subscription $$;
comment on function billing.due_minor(uuid, timestamptz) is
  'What the next period costs in money: its price, less the credit that it takes off.';
revoke all on function billing.due_minor(uuid, timestamptz) from public;
