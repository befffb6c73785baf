-- Of everybody, so that the answers of people who never come back are forgotten too.
create or replace function account.forget_answers(at timestamptz) returns void
language sql security definer set search_path = pg_catalog as $$
  delete from account.idempotent_answer a where (a.user_id, a.route, a.key) in (
    select o.user_id, o.route, o.key from account.idempotent_answer o
    where o.created_at <= at - interval '24 hours' order by o.created_at limit 100
    for update skip locked) $$;
comment on function account.forget_answers(timestamptz) is
  'Forget answers to creates that are 24 hours old, a hundred at most.';
revoke all on function account.forget_answers(timestamptz) from public;
