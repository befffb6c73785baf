-- A provider's month is settled once per currency: paid, or carried over with the reason.

create or replace function ledger.payout(
  provider_id uuid, period date, at timestamptz, known timestamptz)
returns setof ledger.payout language plpgsql security definer set search_path = pg_catalog as $$
declare
  began timestamptz := period::timestamp at time zone 'UTC';
  ended timestamptz := (period + interval '1 month') at time zone 'UTC';
  minimum bigint := (ledger.rate_at(at)).payout_minimum_minor;
  due record;
  posted bigint;
  paid bigint;
begin
  if extract(day from period) <> 1 or at < ended then
    raise exception 'the month % has not ended or is none', period
      using errcode = 'check_violation', hint = 'Name the first day of a month that is over.';
  end if;
  perform ledger.hold(provider_id);
  -- Owed: what was earned by the end of the month less what was ever paid, and no more than is owed
  -- now, since a refund may have come in between.
  for due in
    select l.currency,
      least(-sum(l.amount_minor) filter (where e.kind = 'payout' or e.happened_at < ended),
            -sum(l.amount_minor)) as balance
    from ledger.line l join ledger.entry e on e.id = l.entry_id
    where l.account = 'provider_payable' and l.party = payout.provider_id
      and not exists (select from ledger.payout p where p.provider_id = payout.provider_id
                      and p.month = period and p.currency = l.currency)
    group by l.currency
    having bool_or(e.kind <> 'payout' and e.happened_at < ended)
      and (sum(l.amount_minor) <> 0 or bool_or(
        e.kind <> 'payout' and e.happened_at >= began and e.happened_at < ended))
    order by l.currency
  loop
    paid := case when due.balance >= minimum then due.balance else 0 end;
    posted := ledger.write('payout', format('%s:%s:%s', provider_id,
      to_char(period, 'YYYY-MM'), due.currency), at, known, null, '', jsonb_build_array(
        ledger.line('provider_payable', provider_id, paid, due.currency),
        ledger.line('cash:bank', null, -paid, due.currency)));
    insert into ledger.payout (entry_id, provider_id, month, currency, balance_minor, amount_minor,
      carried, settled_at)
    values (posted, payout.provider_id, period, due.currency, due.balance, paid,
      case when paid > 0 then null when due.balance < 0 then 'negative' else 'below_minimum' end,
      at);
  end loop;
  return query select p.* from ledger.payout p
    where p.provider_id = payout.provider_id and p.month = period order by p.currency;
end $$;
comment on function ledger.payout(uuid, date, timestamptz, timestamptz) is
  'Settles a provider''s month (its first day), once per currency: rows of what was paid or carried.';

create or replace function ledger.payouts(period date, at timestamptz, known timestamptz)
returns setof ledger.payout language sql security definer set search_path = pg_catalog as $$
  select p.* from (
    select distinct l.party from ledger.line l where l.account = 'provider_payable'
    order by l.party) of_provider
  cross join lateral ledger.payout(of_provider.party, period, at, known) p
  order by p.provider_id, p.currency $$;
comment on function ledger.payouts(date, timestamptz, timestamptz) is 'A month of every provider.';

create or replace function ledger.card_used(user_id uuid, fingerprint text, known timestamptz)
returns void language sql security definer set search_path = pg_catalog as $$
  insert into ledger.card (user_id, fingerprint_sha256, first_seen_at)
  values (card_used.user_id, sha256(convert_to(fingerprint, 'UTF8')), known)
  on conflict on constraint card_pkey do nothing $$;
comment on function ledger.card_used(uuid, text, timestamptz) is
  'A person paid by a card, by the payment provider''s fingerprint of it: see ledger.flagged.';

create or replace view ledger.flagged with (security_invoker = true) as
  select 'related_account' as flag, i.number as subject, i.provider_id as party, i.currency,
         i.amount_minor, i.paid_at as since
  from ledger.invoice i
  where exists (select from ledger.card a join ledger.card b
                on b.fingerprint_sha256 = a.fingerprint_sha256
                where a.user_id = i.user_id and b.user_id = i.provider_id)
  union all
  select 'negative_balance', l.party::text, l.party, l.currency, -sum(l.amount_minor)::bigint,
         max(e.happened_at)
  from ledger.line l join ledger.entry e on e.id = l.entry_id
  where l.account = 'provider_payable'
  group by l.party, l.currency having sum(l.amount_minor) > 0;
comment on view ledger.flagged is 'What an operator should look at.';
comment on column ledger.flagged.flag is 'related_account: provider and subscriber paid by one card; negative_balance';
comment on column ledger.flagged.subject is 'Invoice, or provider';
comment on column ledger.flagged.party is 'The provider';
comment on column ledger.flagged.currency is 'ISO 4217';
comment on column ledger.flagged.amount_minor is 'Of the invoice, or the balance';
comment on column ledger.flagged.since is 'When it came to be';
