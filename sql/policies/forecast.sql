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

-- Past the reveal delay of the terms that held at its slot, what was logged is public. Replayed and
-- backfilled slots have no leaf and no opening: they are nobody's evidence, and stay with subscribers.
create or replace function billing.revealed_at(of_signal bigint, of_slot timestamptz)
returns timestamptz language sql stable as $$
  select of_slot + make_interval(hours => p.reveal_after_hours) from billing.price p
  where p.signal_id = of_signal and p.valid_from <= of_slot
  order by p.valid_from desc, p.id desc limit 1 $$;
comment on function billing.revealed_at(bigint, timestamptz) is
  'When a slot becomes public, by the offer that held at it; null where nothing was on offer.';

create or replace function forecast.is_revealed(of_record bigint) returns boolean
language sql stable as $$
  select exists (
    select 1 from forecast.slot_record r
    join registry.version v on v.id = r.version_id
    join registry.signal g on g.id = v.signal_id
    where r.id = of_record and r.leaf_index is not null and g.visibility = 'public'
      and billing.revealed_at(v.signal_id, r.slot) <= account.current_instant()) $$;
comment on function forecast.is_revealed(bigint) is
  'Was this logged, by a public signal, and has its reveal delay passed?';

drop policy if exists revealed on forecast.forecast;
create policy revealed on forecast.forecast for select to signalbox_api
  using (forecast.is_revealed(slot_record_id));
drop policy if exists revealed on forecast.opening;
create policy revealed on forecast.opening for select to signalbox_api
  using (forecast.is_revealed(slot_record_id));

-- That an opening is lost is public at once, also where the opening itself is not.
create or replace function forecast.unopened(of_signal bigint) returns setof bigint
language sql stable security definer set search_path = pg_catalog as $$
  select r.id from forecast.slot_record r join registry.version v on v.id = r.version_id
  where v.signal_id = of_signal and r.leaf_index is not null and r.provenance <> 'missed'
    and not exists (select 1 from forecast.opening o where o.slot_record_id = r.id) $$;
comment on function forecast.unopened(bigint) is
  'Records of a signal that were answered, but whose commitment nobody can open any more.';
revoke all on function forecast.unopened(bigint) from public;
