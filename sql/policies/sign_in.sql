alter table account.session enable row level security;
alter table account.session force row level security;
alter table account.totp enable row level security;
alter table account.totp force row level security;
alter table account.recovery_code enable row level security;
alter table account.recovery_code force row level security;
alter table account.terms_acceptance enable row level security;
alter table account.terms_acceptance force row level security;

drop policy if exists owner_everything on account.session;
create policy owner_everything on account.session to signalbox_owner using (true) with check (true);
drop policy if exists own_sessions on account.session;
create policy own_sessions on account.session to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());

drop policy if exists owner_everything on account.totp;
create policy owner_everything on account.totp to signalbox_owner using (true) with check (true);
drop policy if exists own_factor on account.totp;
create policy own_factor on account.totp to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());

drop policy if exists owner_everything on account.recovery_code;
create policy owner_everything on account.recovery_code to signalbox_owner
  using (true) with check (true);
drop policy if exists own_codes on account.recovery_code;
create policy own_codes on account.recovery_code to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());

drop policy if exists owner_everything on account.terms_acceptance;
create policy owner_everything on account.terms_acceptance to signalbox_owner
  using (true) with check (true);
drop policy if exists own_acceptances on account.terms_acceptance;
create policy own_acceptances on account.terms_acceptance to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());

-- docs/decisions/0023 says why these numbers, and what they bound.
create or replace function account.admit_login(
  of_account bytea, from_source text, is_known boolean, at timestamptz) returns double precision
language plpgsql security definer set search_path = pg_catalog as $$
declare
  -- Attempts from what the account does not know are counted together, too.
  sources text[] := case when is_known then array[from_source] else array['', from_source] end;
  blocked timestamptz;
begin
  -- One at a time: attempts made in parallel count like those made one after the other.
  perform pg_advisory_xact_lock(hashtextextended(encode(of_account, 'hex'), 9));
  select max(t.blocked_until) into blocked from account.login_throttle t
  where t.account = of_account and t.source = any (sources);
  if blocked > at then
    return extract(epoch from blocked - at);
  end if;
  if random() < 0.01 then
    delete from account.login_throttle t where t.last_at < at - interval '2 days';
  end if;
  -- Those who waited for the lock come with earlier instants: neither count nor wait goes back.
  insert into account.login_throttle as t (account, source, attempts, last_at)
  select of_account, s, 1, at from unnest(sources) s
  on conflict (account, source) do update set
    attempts = 1 + case
      when t.source = '' then greatest(0, t.attempts
        - greatest(0, floor(extract(epoch from at - t.last_at) / 60)))
      when t.last_at < at - interval '1 day' then 0
      else t.attempts end,
    last_at = greatest(t.last_at, at);
  update account.login_throttle t set blocked_until = t.last_at + case
      when t.source = '' and t.attempts > 30 then interval '60 seconds'
      when t.source <> '' and t.attempts >= 20
        then make_interval(secs => least(900, 8 * power(2, least(t.attempts - 20, 20)))) end
  where t.account = of_account and t.source = any (sources);
  return 0;
end $$;
comment on function account.admit_login(bytea, text, boolean, timestamptz) is
  'Count an attempt to sign in and let it through (0), or say how many seconds to wait.';
revoke all on function account.admit_login(bytea, text, boolean, timestamptz) from public;

create or replace function account.login_was_right(
  of_account bytea, from_source text, is_known boolean) returns void
language sql security definer set search_path = pg_catalog as $$
  delete from account.login_throttle t where t.account = of_account and t.source = from_source;
  update account.login_throttle t set attempts = greatest(0, t.attempts - 1)
  where t.account = of_account and t.source = '' and not is_known $$;
comment on function account.login_was_right(bytea, text, boolean) is
  'The attempt that was let through was right: take it back.';
revoke all on function account.login_was_right(bytea, text, boolean) from public;

create or replace function account.forget_attempts(of_account bytea) returns void
language sql security definer set search_path = pg_catalog as $$
  delete from account.login_throttle t where t.account = of_account $$;
comment on function account.forget_attempts(bytea) is
  'After a password was set anew by mail nobody waits for what was guessed before.';
revoke all on function account.forget_attempts(bytea) from public;

-- What the API needs to erase is more than it may otherwise change, so it is one function, and
-- reaches nobody but who asks.
create or replace function account.erase_caller(at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
  person uuid := account.current_user_id();
begin
  update account.user_account u set
    email = 'deleted-' || u.id || '@invalid', password_hash = '', email_confirmed_at = null,
    role = 'member', deleted_at = at
  where u.id = person and u.deleted_at is null;
  update account.session s set ended_at = coalesce(s.ended_at, at), user_agent = '', network = ''
  where s.user_id = person;
  update account.refresh_token t set revoked_at = coalesce(t.revoked_at, at) where t.user_id = person;
  update account.api_key k set revoked_at = coalesce(k.revoked_at, at), name = ''
  where k.user_id = person;
  update account.signing_key k set revoked_at = coalesce(k.revoked_at, at), name = ''
  where k.user_id = person;
  update account.data_source_key k set revoked_at = coalesce(k.revoked_at, at), name = '',
    shown = '', wrapped_key = '', sealed = ''
  where k.user_id = person;
  update account.mail m set address = '', subject = '', text = '', next_attempt_at = null,
    last_error = null
  where m.user_id = person;
  update account.mail_token t set email = '', used_at = coalesce(t.used_at, at)
  where t.user_id = person;
  delete from account.totp t where t.user_id = person;
  delete from account.recovery_code c where c.user_id = person;
  delete from account.idempotent_answer a where a.user_id = person;
  delete from account.webhook_delivery d where d.user_id = person;
  delete from account.webhook w where w.user_id = person;
end $$;
comment on function account.erase_caller(timestamptz) is
  'Forget what is personal about who asks and end every credential; the handle stays used.';
revoke all on function account.erase_caller(timestamptz) from public;

create or replace function audit.acts_of_caller()
returns table (at timestamptz, action text, subject text, detail jsonb)
language sql stable security definer set search_path = pg_catalog as $$
  select e.at, e.action, e.subject, e.detail from audit.event e
  where e.actor_id = account.current_user_id() order by e.id $$;
comment on function audit.acts_of_caller() is 'What who asks did, oldest first.';
revoke all on function audit.acts_of_caller() from public;
