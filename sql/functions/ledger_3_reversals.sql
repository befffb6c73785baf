-- Money of an invoice that goes back, in the shares that were agreed when it was paid. What the
-- provider was paid out already is owed by them: their balance goes below zero.

create or replace function ledger.reverse(
  kind text, invoice text, reference text, amount_minor bigint, fee_minor bigint, at timestamptz,
  known timestamptz)
returns bigint language plpgsql security definer set search_path = pg_catalog as $$
declare
  paid ledger.invoice;
  back record;
  held record;
  platform bigint;
  posted bigint;
begin
  select i.* into strict paid from ledger.invoice i where i.number = reverse.invoice for update;
  select e.id, r.invoice_number, r.amount_minor, r.fee_minor into held
  from ledger.entry e left join ledger.reversal r on r.entry_id = e.id
  where e.kind = reverse.kind and e.reference = reverse.reference;
  if found then
    if (held.invoice_number, held.amount_minor, held.fee_minor)
       is distinct from (invoice, reverse.amount_minor, reverse.fee_minor) then
      raise exception '% % is posted already, with other facts', kind, reference
        using errcode = 'unique_violation';
    end if;
    return held.id;
  end if;
  select coalesce(sum(r.amount_minor), 0) as amount, coalesce(sum(r.platform_minor), 0) as platform
  into back from ledger.reversal r where r.invoice_number = invoice;
  if amount_minor <= 0 or back.amount + amount_minor > paid.amount_minor - paid.credit_minor then
    raise exception 'invoice %: % of % are back already, % more cannot go', invoice, back.amount,
      paid.amount_minor - paid.credit_minor, amount_minor
      using errcode = 'check_violation', hint = 'No more goes back than was paid in money.';
  end if;
  -- In sum, so that parts of an invoice add up to the whole.
  platform := div((back.amount + amount_minor) * paid.platform_fee_minor, paid.amount_minor)
              - back.platform;
  posted := ledger.write(kind, reference, at, known, paid.subscription_id, '', jsonb_build_array(
    ledger.line('provider_payable', paid.provider_id, amount_minor - platform, paid.currency),
    ledger.line(kind || 's', null, platform, paid.currency),
    ledger.line('payment_fee', null, fee_minor, paid.currency),
    ledger.line('cash:' || paid.payment_provider, null, -amount_minor - fee_minor, paid.currency)));
  insert into ledger.reversal (entry_id, invoice_number, kind, amount_minor, provider_minor,
    platform_minor, fee_minor, happened_at)
  values (posted, invoice, reverse.kind, reverse.amount_minor, reverse.amount_minor - platform,
    platform, reverse.fee_minor, at);
  return posted;
end $$;
comment on function ledger.reverse(text, text, text, bigint, bigint, timestamptz, timestamptz) is
  'Part of an invoice back; for ledger.refund and ledger.chargeback.';

create or replace function ledger.refund(
  invoice text, reference text, amount_minor bigint, at timestamptz, known timestamptz)
returns bigint language sql security definer set search_path = pg_catalog as $$
  select ledger.reverse('refund', invoice, reference, amount_minor, 0, at, known) $$;
comment on function ledger.refund(text, text, bigint, timestamptz, timestamptz) is
  'Part or all of an invoice back to the subscriber; the entry''s id, also when it is told again.';

create or replace function ledger.chargeback(
  invoice text, reference text, amount_minor bigint, fee_minor bigint, at timestamptz,
  known timestamptz)
returns bigint language sql security definer set search_path = pg_catalog as $$
  select ledger.reverse('chargeback', invoice, reference, amount_minor, fee_minor, at, known) $$;
comment on function ledger.chargeback(text, text, bigint, bigint, timestamptz, timestamptz) is
  'A payment that the card''s holder took back, and what the payment provider takes for it.';
