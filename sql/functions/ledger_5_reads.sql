-- What a provider and an operator may know of the books: sums of their own, and no other person.
-- Each function sees for the person of the transaction only.

create or replace function ledger.statement(of_month date)
returns table (currency text, opening_minor bigint, invoices bigint, gross_minor bigint,
               platform_fee_minor bigint, share_minor bigint, refunded_minor bigint,
               charged_back_minor bigint, credited_minor bigint, other_minor bigint,
               paid_out_minor bigint, closing_minor bigint)
language sql stable security definer set search_path = pg_catalog as $$
  with month as (
    select of_month::timestamp at time zone 'UTC' as began,
           (of_month + interval '1 month') at time zone 'UTC' as ended
  ), mine as (
    select l.currency, e.kind, -l.amount_minor as amount, e.happened_at >= m.began as is_within
    from month m cross join ledger.line l join ledger.entry e on e.id = l.entry_id
    where l.account = 'provider_payable' and l.party = account.current_user_id()
      and e.happened_at < m.ended
  ), sold as (
    select i.currency, count(*) as invoices, sum(i.amount_minor) as gross,
           sum(i.platform_fee_minor) as fee
    from month m join ledger.invoice i on i.paid_at >= m.began and i.paid_at < m.ended
    where i.provider_id = account.current_user_id() group by i.currency
  )
  select x.currency,
         coalesce(sum(x.amount) filter (where not x.is_within), 0)::bigint,
         coalesce(max(s.invoices), 0), coalesce(max(s.gross), 0)::bigint,
         coalesce(max(s.fee), 0)::bigint,
         coalesce(sum(x.amount) filter (where x.is_within and x.kind = 'invoice'), 0)::bigint,
         coalesce(sum(x.amount) filter (where x.is_within and x.kind = 'refund'), 0)::bigint,
         coalesce(sum(x.amount) filter (where x.is_within and x.kind = 'chargeback'), 0)::bigint,
         coalesce(sum(x.amount) filter (where x.is_within and x.kind = 'credit'), 0)::bigint,
         coalesce(sum(x.amount) filter (where x.is_within and x.kind not in
           ('invoice', 'refund', 'chargeback', 'credit', 'payout')), 0)::bigint,
         coalesce(sum(x.amount) filter (where x.is_within and x.kind = 'payout'), 0)::bigint,
         sum(x.amount)::bigint
  from mine x left join sold s on s.currency = x.currency
  group by x.currency order by x.currency $$;
comment on function ledger.statement(date) is
  'A month (its first day) of the provider who asks, per currency: what came to them positive, what'
  ' went negative, opening and closing balance.';

create or replace function ledger.own_balances()
returns table (currency text, balance_minor bigint)
language sql stable security definer set search_path = pg_catalog as $$
  select l.currency, -sum(l.amount_minor)::bigint from ledger.line l
  where l.account = 'provider_payable' and l.party = account.current_user_id()
  group by l.currency order by l.currency $$;
comment on function ledger.own_balances() is
  'Owed to the provider who asks, per currency; negative: owed by them.';

create or replace function ledger.own_signals()
returns table (signal text, paying bigint, trialing bigint)
language sql stable security definer set search_path = pg_catalog as $$
  select p.handle || '/' || g.name,
         count(s.id) filter (where s.state <> 'trialing'),
         count(s.id) filter (where s.state = 'trialing')
  from registry.signal g
  join account.user_account p on p.id = g.provider_id
  left join billing.subscription s on s.signal_id = g.id
    and s.state in ('trialing', 'active', 'past_due')
    and s.period_start <= account.current_instant() and s.period_end > account.current_instant()
  where g.provider_id = account.current_user_id()
  group by p.handle, g.name order by g.name $$;
comment on function ledger.own_signals() is
  'How many people have access to each signal of the provider who asks, now; never who.';

create or replace function ledger.own_earnings(of_month date)
returns table (signal_id bigint, currency text, earned_minor bigint)
language sql stable security definer set search_path = pg_catalog as $$
  select s.signal_id, l.currency, -sum(l.amount_minor)::bigint
  from ledger.line l
  join ledger.entry e on e.id = l.entry_id
  join billing.subscription s on s.id = e.subscription_id
  where l.account = 'provider_payable' and l.party = account.current_user_id()
    and e.happened_at >= of_month::timestamp at time zone 'UTC'
    and e.happened_at < (of_month + interval '1 month') at time zone 'UTC'
  group by s.signal_id, l.currency $$;
comment on function ledger.own_earnings(date) is
  'What each signal of the provider who asks brought them in a month (its first day), per currency:'
  ' shares less what went back and was credited.';

create or replace function ledger.flags_for_operator() returns setof ledger.flagged
language sql stable security definer set search_path = pg_catalog as $$
  select f.* from ledger.flagged f
  where exists (select from account.user_account u
                where u.id = account.current_user_id() and u.role = 'operator')
  order by f.since desc, f.subject $$;
comment on function ledger.flags_for_operator() is 'ledger.flagged, where an operator asks.';

revoke all on all functions in schema ledger from public;
revoke all on function billing.refuse_own_signal() from public;
