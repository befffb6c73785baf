-- What happened to a subscription is its subscriber's: a row is seen where its subscription is.
alter table billing.outbox enable row level security;
alter table billing.outbox force row level security;
drop policy if exists owner_everything on billing.outbox;
create policy owner_everything on billing.outbox to signalbox_owner using (true) with check (true);
drop policy if exists own_lines on billing.outbox;
create policy own_lines on billing.outbox for select to signalbox_api
  using (user_id = account.current_user_id());
drop policy if exists worker_reads on billing.outbox;
create policy worker_reads on billing.outbox for select to signalbox_worker using (true);

alter table billing.subscription_event enable row level security;
alter table billing.subscription_event force row level security;
drop policy if exists owner_everything on billing.subscription_event;
create policy owner_everything on billing.subscription_event to signalbox_owner
  using (true) with check (true);
drop policy if exists own_events on billing.subscription_event;
create policy own_events on billing.subscription_event for select to signalbox_api
  using (exists (select 1 from billing.subscription s where s.id = subscription_id));

alter table billing.payment enable row level security;
alter table billing.payment force row level security;
drop policy if exists owner_everything on billing.payment;
create policy owner_everything on billing.payment to signalbox_owner using (true) with check (true);
drop policy if exists own_payments on billing.payment;
create policy own_payments on billing.payment for select to signalbox_api
  using (exists (select 1 from billing.subscription s where s.id = subscription_id));
drop policy if exists worker_reads on billing.payment;
create policy worker_reads on billing.payment for select to signalbox_worker using (true);

alter table billing.consent enable row level security;
alter table billing.consent force row level security;
drop policy if exists owner_everything on billing.consent;
create policy owner_everything on billing.consent to signalbox_owner using (true) with check (true);
drop policy if exists own_consents on billing.consent;
create policy own_consents on billing.consent for select to signalbox_api
  using (exists (select 1 from billing.subscription s where s.id = subscription_id));
