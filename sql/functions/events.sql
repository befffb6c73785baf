-- Who may be told of what, for many people at once: the stream and the webhooks ask here.

-- Both times count: what became known while somebody had no access stays untold when they come back,
-- and what they may not read now is not told either.
create or replace function billing.entitled_people(
  people uuid[], signals bigint[], known_at timestamptz[], at timestamptz)
returns table (user_id uuid, n integer)
language sql stable security definer set search_path = pg_catalog as $$
  select distinct s.user_id, asked.n::integer
  from unnest(signals, known_at) with ordinality as asked (signal_id, known_at, n)
  join billing.subscription s on s.signal_id = asked.signal_id and s.user_id = any (people)
  where s.state in ('trialing', 'active', 'past_due') and s.period_start <= at
    and case when s.cancel_at_period_end then s.period_end
             else greatest(s.period_end, s.grace_until) end > at
    and (s.period_start <= asked.known_at or exists (
      select from billing.subscription x
      cross join lateral (
        select e.to_state from billing.subscription_event e
        where e.subscription_id = x.id and e.happened_at <= asked.known_at
        order by e.happened_at desc, e.id desc limit 1) was
      where x.user_id = s.user_id and x.signal_id = s.signal_id
        and was.to_state in ('trialing', 'active')))
  union
  select g.provider_id, asked.n::integer
  from unnest(signals) with ordinality as asked (signal_id, n)
  join registry.signal g on g.id = asked.signal_id and g.provider_id = any (people) $$;
comment on function billing.entitled_people(uuid[], bigint[], timestamptz[], timestamptz) is
  'Of these people, who may be told of the n-th event: of a signal, known since; entitled then and now.';
revoke all on function billing.entitled_people(uuid[], bigint[], timestamptz[], timestamptz)
  from public;

-- As billing.outbox_after, for several people; it names the lines, and each person reads their own.
create or replace function billing.lines_between(
  people uuid[], after_xid bigint, after_id bigint, upto_xid bigint, at_most integer)
returns table (id bigint, xid bigint, user_id uuid, signal_id bigint, kind text, at timestamptz)
language sql stable security definer set search_path = pg_catalog as $$
  select o.id, o.xid, o.user_id, s.signal_id, o.kind, o.at
  from billing.outbox o join billing.subscription s on s.id = o.subscription_id
  where (o.xid, o.id) > (after_xid, after_id) and o.xid <= upto_xid and o.user_id = any (people)
  order by o.xid, o.id limit at_most $$;
comment on function billing.lines_between(uuid[], bigint, bigint, bigint, integer) is
  'Lines of the outbox for some people, after (xid, id) and up to a transaction that is over.';
revoke all on function billing.lines_between(uuid[], bigint, bigint, bigint, integer) from public;

create or replace function account.good_credentials(
  keys text[], sessions uuid[], at timestamptz)
returns setof text language sql stable security definer set search_path = pg_catalog as $$
  select k.id from account.api_key k join account.user_account u on u.id = k.user_id
  where k.id = any (keys) and k.revoked_at is null and (k.expires_at is null or k.expires_at > at)
    and u.deleted_at is null
  union all
  select s.id::text from account.session s join account.user_account u on u.id = s.user_id
  where s.id = any (sessions) and s.ended_at is null and u.deleted_at is null $$;
comment on function account.good_credentials(text[], uuid[], timestamptz) is
  'Those of these API keys and sessions that still admit somebody.';
revoke all on function account.good_credentials(text[], uuid[], timestamptz) from public;

-- What row-level security says of each forecast by itself, said once for each signal.
create or replace function forecast.of_leaves(leaves bigint[])
returns setof forecast.forecast
language sql stable security definer set search_path = pg_catalog as $$
  with slot as materialized (
    select r.id, v.signal_id from forecast.slot_record r
    join registry.version v on v.id = r.version_id where r.leaf_index = any (leaves)),
  readable as materialized (
    select s.signal_id from (select distinct signal_id from slot) s
    where billing.is_entitled(s.signal_id))
  select f.* from readable join slot on slot.signal_id = readable.signal_id
  join forecast.forecast f on f.slot_record_id = slot.id $$;
comment on function forecast.of_leaves(bigint[]) is
  'Forecasts of these leaves that the person of this transaction is entitled to at its instant.';
revoke all on function forecast.of_leaves(bigint[]) from public;
