alter table account.webhook enable row level security;
alter table account.webhook force row level security;
alter table account.webhook_delivery enable row level security;
alter table account.webhook_delivery force row level security;

drop policy if exists owner_everything on account.webhook;
create policy owner_everything on account.webhook to signalbox_owner using (true) with check (true);
drop policy if exists own_webhooks on account.webhook;
create policy own_webhooks on account.webhook to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());

drop policy if exists owner_everything on account.webhook_delivery;
create policy owner_everything on account.webhook_delivery to signalbox_owner
  using (true) with check (true);
drop policy if exists own_deliveries on account.webhook_delivery;
create policy own_deliveries on account.webhook_delivery to signalbox_api
  using (user_id = account.current_user_id()) with check (user_id = account.current_user_id());
