create or replace function account.mail_waiting() returns table (waiting bigint, oldest timestamptz)
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
  perform account.demand_operator();
  return query select count(*), min(m.created_at) from account.mail m
    where m.sent_at is null and m.next_attempt_at is not null;
end $$;
comment on function account.mail_waiting() is 'Letters not delivered yet, for operators.';
revoke all on function account.mail_waiting() from public;
