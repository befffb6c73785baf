-- Who is asking, and when: set per transaction by sql.session, never per connection.
create or replace function account.current_user_id() returns uuid
language sql stable as $$ select nullif(current_setting('app.user_id', true), '')::uuid $$;
comment on function account.current_user_id() is 'The person of this transaction, or null.';

create or replace function account.current_instant() returns timestamptz
language sql stable as $$
  select coalesce(nullif(current_setting('app.now', true), '')::timestamptz, now()) $$;
comment on function account.current_instant() is 'The platform''s now for this transaction.';
