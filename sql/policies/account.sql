alter table account.api_key enable row level security;
alter table account.api_key force row level security;

drop policy if exists owner_everything on account.api_key;
create policy owner_everything on account.api_key to signalbox_owner using (true) with check (true);

drop policy if exists own_keys on account.api_key;
create policy own_keys on account.api_key to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());

alter table account.signing_key enable row level security;
alter table account.signing_key force row level security;

drop policy if exists owner_everything on account.signing_key;
create policy owner_everything on account.signing_key to signalbox_owner using (true) with check (true);

drop policy if exists own_keys on account.signing_key;
create policy own_keys on account.signing_key to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());

-- The gate asks for one key of whoever pushes, which it knows from their API key.
drop policy if exists git_reads on account.signing_key;
create policy git_reads on account.signing_key for select to signalbox_git using (true);

alter table account.data_source_key enable row level security;
alter table account.data_source_key force row level security;

drop policy if exists owner_everything on account.data_source_key;
create policy owner_everything on account.data_source_key to signalbox_owner
  using (true) with check (true);

drop policy if exists own_keys on account.data_source_key;
create policy own_keys on account.data_source_key to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());

drop policy if exists worker_everything on account.data_source_key;
create policy worker_everything on account.data_source_key to signalbox_worker
  using (true) with check (true);

alter table account.refresh_token enable row level security;
alter table account.refresh_token force row level security;

drop policy if exists owner_everything on account.refresh_token;
create policy owner_everything on account.refresh_token to signalbox_owner
  using (true) with check (true);

-- Logging in, refreshing and logging out happen before anybody is known, by the token's sha256.
-- A transaction of a person sees that person's tokens.
drop policy if exists own_tokens on account.refresh_token;
create policy own_tokens on account.refresh_token to signalbox_api
  using (account.current_user_id() is null or user_id = account.current_user_id())
  with check (account.current_user_id() is null or user_id = account.current_user_id());
