-- What the exporter counts without reading what it counts: letters, deliveries, reasons, manifests.
create or replace function account.outboxes()
returns table (outbox text, waiting bigint, oldest timestamptz, due_at timestamptz)
language sql stable security definer set search_path = pg_catalog as $$
  select 'mail', count(*), min(m.created_at), min(m.next_attempt_at) from account.mail m
  where m.sent_at is null and m.next_attempt_at is not null
  union all
  select 'webhooks', count(*), min(d.created_at), min(d.next_attempt_at)
  from account.webhook_delivery d where d.state = 'pending' $$;
comment on function account.outboxes() is
  'What waits to be sent, since when, and when the first of it is due.';
revoke all on function account.outboxes() from public;

create or replace function forecast.missed_by_kind(since timestamptz)
returns table (kind text, slots bigint)
language sql stable security definer set search_path = pg_catalog as $$
  select split_part(r.reason, ':', 1), count(*) from forecast.slot_record r
  where r.slot >= since and r.provenance = 'missed' group by 1 $$;
comment on function forecast.missed_by_kind(timestamptz) is
  'Missed slots since an instant by kind of reason, without what the model said.';
revoke all on function forecast.missed_by_kind(timestamptz) from public;

create or replace function registry.symbols_read() returns setof text
language sql stable security definer set search_path = pg_catalog as $$
  select distinct jsonb_array_elements_text(v.manifest->'forecast'->'symbols')
  from registry.version v where v.state = 'live' $$;
comment on function registry.symbols_read() is 'Symbols that live versions read.';
revoke all on function registry.symbols_read() from public;
