-- Letters to subscribers, written in the transaction of what they tell. Other lines of the outbox are
-- for machines: a payment that failed is told by the first reminder.
create or replace function billing.letter(line billing.outbox)
returns table (subject text, text text)
language sql stable security definer set search_path = pg_catalog set timezone = 'UTC' as $$
  select said.subject || ': ' || named.signal, said.text || E'\n\nSee GET /v1/subscriptions.\n'
  from (select p.handle || '/' || g.name as signal
        from billing.subscription s join registry.signal g on g.id = s.signal_id
        join account.user_account p on p.id = g.provider_id
        where s.id = line.subscription_id) named
  cross join lateral (
    select to_char((line.detail ->> 'amount_minor')::numeric / 100, 'FM999999990.00') || ' '
           || (line.detail ->> 'currency') as money) sum
  cross join lateral (values
    ('payment.reminder', 'A payment is due', format(
      E'Your subscription to %s was not paid for its next period. It ends for good\non %s UTC unless'
      ' it is paid. This is reminder %s of 3.', named.signal,
      to_char((line.detail ->> 'lost_at')::timestamptz, 'YYYY-MM-DD HH24:MI'),
      line.detail ->> 'number')),
    ('payment.paid', 'Paid', format(E'%s were paid, invoice %s. Your access to %s runs until\n%s UTC.',
      sum.money, line.detail ->> 'invoice', named.signal,
      to_char((line.detail ->> 'period_end')::timestamptz, 'YYYY-MM-DD HH24:MI'))),
    ('payment.refunded', 'Refunded', format('%s of invoice %s go back to you.', sum.money,
      line.detail ->> 'invoice')),
    ('subscription.canceled', 'Canceled', format('Your subscription to %s has ended: %s.',
      named.signal, line.detail ->> 'why')),
    ('subscription.expired', 'Ended', format('Your subscription to %s has ended: %s.',
      named.signal, line.detail ->> 'why')),
    ('offer.proposed', 'A new price is proposed', format(
      E'From %s UTC on, %s is to cost %s a month. You need not do\nanything: %s. To accept it:'
      ' POST /v1/subscriptions/%s/consent.',
      to_char((line.detail ->> 'effective_from')::timestamptz, 'YYYY-MM-DD HH24:MI'), named.signal,
      sum.money, case when (line.detail ->> 'ends_old_terms')::boolean
                      then 'without your consent the subscription ends with its period then'
                      else 'without your consent you keep your price' end, line.subscription_id))
  ) as said (kind, subject, text)
  where said.kind = line.kind $$;
comment on function billing.letter(billing.outbox) is
  'What a subscriber is written about a line of the outbox; no row: nothing.';
revoke all on function billing.letter(billing.outbox) from public;

create or replace function billing.write_letter() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
  perform account.put_mail(new.user_id, replace(new.kind, '.', '_'), l.subject, l.text, new.at, null)
  from billing.letter(new) l;
  return null;
end $$;
comment on function billing.write_letter() is 'Trigger: what a subscriber is told by mail.';
revoke all on function billing.write_letter() from public;
create or replace trigger outbox_letter after insert on billing.outbox
  for each row execute function billing.write_letter();
