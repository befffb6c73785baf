alter table forecast.forecast enable row level security;
alter table forecast.forecast force row level security;
alter table forecast.opening enable row level security;
alter table forecast.opening force row level security;

drop policy if exists owner_everything on forecast.forecast;
create policy owner_everything on forecast.forecast to signalbox_owner using (true) with check (true);
drop policy if exists owner_everything on forecast.opening;
create policy owner_everything on forecast.opening to signalbox_owner using (true) with check (true);

drop policy if exists worker_everything on forecast.forecast;
create policy worker_everything on forecast.forecast to signalbox_worker using (true) with check (true);
drop policy if exists worker_everything on forecast.opening;
create policy worker_everything on forecast.opening to signalbox_worker using (true) with check (true);

drop policy if exists entitled on forecast.forecast;
create policy entitled on forecast.forecast for select to signalbox_api using (
  exists (select 1 from forecast.slot_record r join registry.version v on v.id = r.version_id
          where r.id = slot_record_id and billing.is_entitled(v.signal_id)));
drop policy if exists entitled on forecast.opening;
create policy entitled on forecast.opening for select to signalbox_api using (
  exists (select 1 from forecast.slot_record r join registry.version v on v.id = r.version_id
          where r.id = slot_record_id and billing.is_entitled(v.signal_id)));
