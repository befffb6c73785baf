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
