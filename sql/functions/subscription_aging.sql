-- How subscriptions age. Access never waits for this: billing.is_entitled compares periods with now.
create or replace function billing.give_notice(of_user uuid, at timestamptz) returns void
language sql security definer set search_path = pg_catalog as $$
  update billing.subscription s set cancel_at_period_end = true, cancel_why = 'terms'
  where (of_user is null or s.user_id = of_user) and s.state in ('trialing', 'active')
    and not s.cancel_at_period_end
    and exists (select 1 from billing.proposal p
                where p.signal_id = s.signal_id and p.ends_old_terms and p.proposed_at <= at
                  and p.effective_from <= s.period_end and p.price_id > s.price_id
                  and not exists (select 1 from billing.consent c
                                  join billing.proposal q on q.id = c.proposal_id
                                  where c.subscription_id = s.id and q.price_id >= p.price_id)) $$;
comment on function billing.give_notice(uuid, timestamptz) is
  'Subscriptions whose terms were withdrawn, and whose subscriber did not consent, end with the period.';

create or replace function billing.settle(of_user uuid, at timestamptz) returns integer
language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC' as $$
declare
  ended integer;
  lost integer;
  unpaid integer;
begin
  perform billing.give_notice(of_user, at);
  update billing.subscription s set
    state = case when s.cancel_at_period_end then 'canceled'
                 when s.state = 'trialing' then 'expired' else 'past_due' end,
    state_since = case when s.cancel_at_period_end then s.period_end
                       else greatest(s.period_end, s.grace_until) end,
    state_known_at = at,
    state_by = null,
    state_why = case when s.cancel_why = 'terms' then 'its terms were withdrawn'
                     when s.cancel_at_period_end then 'canceled at the end of its period'
                     when s.state = 'trialing' then 'its trial was not followed by a payment'
                     else 'its period ended without a payment' end
  where (of_user is null or s.user_id = of_user) and s.state in ('trialing', 'active')
    and case when s.cancel_at_period_end then s.period_end
             else greatest(s.period_end, s.grace_until) end <= at;
  get diagnostics ended = row_count;
  update billing.subscription s set
    state = 'expired', state_known_at = at, state_by = null, state_why = 'not paid within 7 days',
    state_since = greatest(s.state_since, s.period_end) + interval '7 days'
  where (of_user is null or s.user_id = of_user) and s.state = 'past_due'
    and greatest(s.state_since, s.period_end) + interval '7 days' <= at;
  get diagnostics lost = row_count;
  update billing.subscription s set
    state = 'expired', state_known_at = at, state_by = null, state_why = 'never paid',
    state_since = s.created_at + interval '7 days'
  where (of_user is null or s.user_id = of_user) and s.state = 'incomplete'
    and s.created_at + interval '7 days' <= at;
  get diagnostics unpaid = row_count;
  perform billing.remind(of_user, at);
  return ended + lost + unpaid;
end $$;
comment on function billing.settle(uuid, timestamptz) is
  'End what has ended by an instant, of one person or of all; how many changed their state.';

-- Reminders are due on days 0, 3 and 6 of being past due; late ones are not sent in a bundle.
create or replace function billing.remind(of_user uuid, at timestamptz) returns void
language sql security definer set search_path = pg_catalog set timezone = 'UTC' as $$
  with due as (
    select s.id, least(3, 1 + floor(extract(epoch from at - s.state_since) / 259200)::integer) as n
    from billing.subscription s
    where (of_user is null or s.user_id = of_user) and s.state = 'past_due' and s.state_since <= at),
  reminded as (
    update billing.subscription s set reminders = due.n
    from due where due.id = s.id and s.state = 'past_due' and s.reminders < due.n
    returning s.id, s.user_id, s.reminders, s.state_since, s.period_end)
  insert into billing.outbox (at, user_id, subscription_id, kind, detail)
  select remind.at, r.user_id, r.id, 'payment.reminder', jsonb_build_object('number', r.reminders,
    'lost_at', greatest(r.state_since, r.period_end) + interval '7 days')
  from reminded r $$;
comment on function billing.remind(uuid, timestamptz) is
  'A line of the outbox for each reminder that is due.';
revoke all on function billing.give_notice(uuid, timestamptz) from public;
revoke all on function billing.remind(uuid, timestamptz) from public;
revoke all on function billing.settle(uuid, timestamptz) from public;
