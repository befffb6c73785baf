-- Every process appends; the API shows a person what they did and what was done to theirs.
-- All of it is read by audit.of_everybody, which answers operators.
alter table audit.event enable row level security;
alter table audit.event force row level security;

drop policy if exists owner_everything on audit.event;
create policy owner_everything on audit.event to signalbox_owner using (true) with check (true);

drop policy if exists append on audit.event;
create policy append on audit.event for insert
  to signalbox_api, signalbox_git, signalbox_worker with check (true);

drop policy if exists own_acts on audit.event;
create policy own_acts on audit.event for select to signalbox_api
  using (actor_id = account.current_user_id() or owner_id = account.current_user_id());
