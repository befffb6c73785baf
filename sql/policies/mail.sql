alter table account.mail enable row level security;
alter table account.mail force row level security;
alter table account.mail_token enable row level security;
alter table account.mail_token force row level security;

drop policy if exists owner_everything on account.mail;
create policy owner_everything on account.mail to signalbox_owner using (true) with check (true);
drop policy if exists own_mail on account.mail;
create policy own_mail on account.mail for select to signalbox_api
  using (user_id = account.current_user_id());

drop policy if exists owner_everything on account.mail_token;
create policy owner_everything on account.mail_token to signalbox_owner
  using (true) with check (true);
drop policy if exists own_tokens on account.mail_token;
create policy own_tokens on account.mail_token to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());

-- Letters go to others than who acts: to a provider, or to whom nobody is signed in as yet.
create or replace function account.put_mail(
  to_user uuid, of_kind text, with_subject text, with_text text, at timestamptz,
  to_address text default null) returns uuid
language sql security definer set search_path = pg_catalog as $$
  insert into account.mail
    (id, user_id, kind, address, subject, text, created_at, attempts, next_attempt_at)
  select gen_random_uuid(), u.id, of_kind, coalesce(to_address, u.email), with_subject, with_text,
         at, 0, at
  from account.user_account u where u.id = to_user and u.deleted_at is null
  returning id $$;
comment on function account.put_mail(uuid, text, text, text, timestamptz, text) is
  'Put a letter into the outbox, to the person''s address unless another is named; null: they left.';
revoke all on function account.put_mail(uuid, text, text, text, timestamptz, text) from public;

create or replace function account.take_mail(at timestamptz)
returns table (id uuid, address text, subject text, text text, created_at timestamptz, attempts int)
language sql security definer set search_path = pg_catalog as $$
  select m.id, m.address, m.subject, m.text, m.created_at, m.attempts from account.mail m
  where m.sent_at is null and m.next_attempt_at <= at
  order by m.next_attempt_at limit 1 for update skip locked $$;
comment on function account.take_mail(timestamptz) is
  'The letter that is due longest and that nobody else holds; held until the transaction ends.';
revoke all on function account.take_mail(timestamptz) from public;

create or replace function account.mail_was_sent(of_mail uuid, at timestamptz) returns void
language sql security definer set search_path = pg_catalog as $$
  update account.mail set sent_at = at, text = '', next_attempt_at = null
  where id = of_mail and sent_at is null $$;
comment on function account.mail_was_sent(uuid, timestamptz) is
  'A letter is with the mail server; what it said, and the token in it, is forgotten.';
revoke all on function account.mail_was_sent(uuid, timestamptz) from public;

create or replace function account.mail_failed(of_mail uuid, why text, again_at timestamptz)
returns void language sql security definer set search_path = pg_catalog as $$
  update account.mail set attempts = attempts + 1, last_error = why, next_attempt_at = again_at
  where id = of_mail and sent_at is null $$;
comment on function account.mail_failed(uuid, text, timestamptz) is
  'A delivery failed: why, and when to try again; null: never.';
revoke all on function account.mail_failed(uuid, text, timestamptz) from public;

create or replace function account.use_mail_token(of_token bytea, for_purpose text, at timestamptz)
returns table (user_id uuid, email text)
language sql security definer set search_path = pg_catalog as $$
  update account.mail_token t set used_at = at
  where t.token_sha256 = of_token and t.purpose = for_purpose and t.used_at is null
    and t.expires_at > at
  returning t.user_id, t.email $$;
comment on function account.use_mail_token(bytea, text, timestamptz) is
  'Whose token this is and which address it proves, once; no row: unknown, used or too old.';
revoke all on function account.use_mail_token(bytea, text, timestamptz) from public;
