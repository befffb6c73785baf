-- A paid period: cash and credit in, the provider's share and the platform's fee out.
-- Credit: borne by the provider who missed the hours, used by the subscriber's next invoice of
-- whatever signal, and never paid out.

create or replace function ledger.rate_at(at timestamptz) returns ledger.rate
language sql stable security definer set search_path = pg_catalog as $$
  select r.* from ledger.rate r where r.valid_from <= at order by r.valid_from desc, r.id desc limit 1
$$;
comment on function ledger.rate_at(timestamptz) is 'What the platform took at an instant.';

create or replace function ledger.next_invoice(year int) returns int
language sql security definer set search_path = pg_catalog as $$
  insert into ledger.invoice_counter as c (year, last) values (next_invoice.year, 1)
  on conflict on constraint invoice_counter_pkey do update set last = c.last + 1
  returning c.last $$;
comment on function ledger.next_invoice(int) is
  'The next number of a year; nobody gets another until this transaction ends, or takes it back.';

create or replace function ledger.invoice_paid(
  subscription_id uuid, reference text, period_start timestamptz, period_end timestamptz,
  amount_minor bigint, currency text, fee_minor bigint, payment_provider text, at timestamptz,
  known timestamptz)
returns text language plpgsql security definer set search_path = pg_catalog as $$
declare
  sold record;
  rate ledger.rate := ledger.rate_at(at);
  credit bigint;
  share bigint := amount_minor - div(amount_minor::numeric * rate.basis_points, 10000)::bigint;
  posted bigint;
  issued_in int := extract(year from known at time zone 'UTC');
  issued text;
  nth int;
begin
  select s.user_id, s.signal_id, g.provider_id, p.handle || '/' || g.name as signal into strict sold
  from billing.subscription s join registry.signal g on g.id = s.signal_id
  join account.user_account p on p.id = g.provider_id
  where s.id = invoice_paid.subscription_id;
  credit := ledger.credit_applied(subscription_id, reference, currency);
  if amount_minor < 0 or fee_minor < 0 or credit > amount_minor then
    raise exception 'an invoice of % with credit % and fee %', amount_minor, credit, fee_minor
      using errcode = 'check_violation', hint = 'No amount is negative, no credit above the price.';
  end if;
  posted := ledger.write('invoice', reference, at, known, subscription_id, '', jsonb_build_array(
    ledger.line('cash:' || payment_provider, null, amount_minor - credit - fee_minor, currency),
    ledger.line('payment_fee', null, fee_minor, currency),
    ledger.line('receivable', sold.user_id, credit, currency),
    ledger.line('provider_payable', sold.provider_id, -share, currency),
    ledger.line('platform_fee', null, share - amount_minor, currency)));
  select i.number into issued from ledger.invoice i where i.entry_id = posted;
  if found then
    return issued;
  end if;
  nth := ledger.next_invoice(issued_in);
  issued := issued_in || '-' || lpad(nth::text, 6, '0');
  insert into ledger.invoice (number, year, sequence, entry_id, subscription_id, user_id,
    provider_id, signal_id, period_start, period_end, amount_minor, credit_minor,
    platform_fee_minor, payment_fee_minor, currency, payment_provider, paid_at, issued_at)
  values (issued, issued_in, nth, posted, invoice_paid.subscription_id, sold.user_id,
    sold.provider_id, sold.signal_id, invoice_paid.period_start, invoice_paid.period_end,
    invoice_paid.amount_minor, credit, invoice_paid.amount_minor - share, fee_minor,
    invoice_paid.currency, invoice_paid.payment_provider, at, known);
  insert into ledger.invoice_line (invoice_number, position, description, amount_minor)
  values (issued, 1, format('Forecasts of %s, %s to %s UTC', sold.signal,
    to_char(invoice_paid.period_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI'),
    to_char(invoice_paid.period_end at time zone 'UTC', 'YYYY-MM-DD HH24:MI')),
    invoice_paid.amount_minor);
  if credit > 0 then
    insert into ledger.invoice_line (invoice_number, position, description, amount_minor)
    values (issued, 2, 'Credit for missed hours', -credit);
  end if;
  return issued;
end $$;
comment on function ledger.invoice_paid(
  uuid, text, timestamptz, timestamptz, bigint, text, bigint, text, timestamptz, timestamptz) is
  'Invoice and posting of a paid period; its number, also where it was made before under this'
  ' reference. amount_minor is the price; credit applied under the same reference is part of it.';

create or replace function ledger.credit(
  subscription_id uuid, reference text, amount_minor bigint, why text, at timestamptz,
  known timestamptz)
returns bigint language plpgsql security definer set search_path = pg_catalog as $$
declare
  sold record;
begin
  if amount_minor <= 0 then
    raise exception 'a credit of % is none', amount_minor using errcode = 'check_violation';
  end if;
  select s.user_id, g.provider_id, o.currency into strict sold
  from billing.subscription s join registry.signal g on g.id = s.signal_id
  join billing.price o on o.id = s.price_id
  where s.id = credit.subscription_id;
  return ledger.write('credit', reference, at, known, subscription_id, why, jsonb_build_array(
    ledger.line('provider_payable', sold.provider_id, amount_minor, sold.currency),
    ledger.line('credits', sold.user_id, -amount_minor, sold.currency)));
end $$;
comment on function ledger.credit(uuid, text, bigint, text, timestamptz, timestamptz) is
  'A subscriber''s credit, borne by the provider; the entry''s id.';

create or replace function ledger.credit_balance(subscription_id uuid) returns bigint
language sql stable security definer set search_path = pg_catalog as $$
  select -ledger.balance('credits', s.user_id, o.currency)
  from billing.subscription s join billing.price o on o.id = s.price_id
  where s.id = credit_balance.subscription_id $$;
comment on function ledger.credit_balance(uuid) is
  'Minor units of credit that the subscriber of this subscription could use for it now.';

create or replace function ledger.credit_applied(
  subscription_id uuid, reference text, currency text)
returns bigint language sql stable security definer set search_path = pg_catalog as $$
  select coalesce(sum(l.amount_minor), 0)::bigint
  from ledger.entry e join ledger.line l on l.entry_id = e.id and l.account = 'credits'
  where e.kind = 'credit_applied' and e.reference = credit_applied.reference
    and e.subscription_id = credit_applied.subscription_id
    and l.currency = credit_applied.currency $$;
comment on function ledger.credit_applied(uuid, text, text) is
  'Credit that was set against the invoice of a subscription that will have this reference.';

create or replace function ledger.apply_credit(
  subscription_id uuid, reference text, amount_minor bigint, at timestamptz, known timestamptz)
returns bigint language plpgsql security definer set search_path = pg_catalog as $$
declare
  sold record;
  used bigint;
begin
  select s.user_id, o.currency into strict sold
  from billing.subscription s join billing.price o on o.id = s.price_id
  where s.id = apply_credit.subscription_id;
  perform ledger.hold(sold.user_id);
  if exists (select from ledger.entry e where e.reference = apply_credit.reference
             and e.kind in ('credit_applied', 'invoice')) then
    return ledger.credit_applied(subscription_id, reference, sold.currency);
  end if;
  used := least(ledger.credit_balance(subscription_id), amount_minor);
  if used <= 0 then
    return 0;
  end if;
  perform ledger.write('credit_applied', reference, at, known, subscription_id, '',
    jsonb_build_array(ledger.line('credits', sold.user_id, used, sold.currency),
                      ledger.line('receivable', sold.user_id, -used, sold.currency)));
  return used;
end $$;
comment on function ledger.apply_credit(uuid, text, bigint, timestamptz, timestamptz) is
  'Set credit against the invoice that will have this reference, at most amount_minor (its price);'
  ' how much. Call it before ledger.invoice_paid, in its transaction: the rest is paid in cash.';

create or replace function ledger.invoice_of(reference text) returns text
language sql stable security definer set search_path = pg_catalog as $$
  select i.number from ledger.entry e join ledger.invoice i on i.entry_id = e.id
  where e.kind = 'invoice' and e.reference = invoice_of.reference $$;
comment on function ledger.invoice_of(text) is 'Number of the invoice of a payment; null: not posted.';
