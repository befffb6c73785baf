-- What the exporter may know of Dagster's database: counts and times. No table is granted: a run's
-- row holds its configuration. The tables are Dagster's to make, so the functions name them late.
create schema if not exists watch;
revoke all on schema watch from public;
grant usage on schema watch to signalbox_metrics;

create or replace function watch.heartbeats() returns table (daemon text, beat_at timestamptz)
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
  return query select h.daemon_type::text, h."timestamp" at time zone 'UTC'
    from public.daemon_heartbeats h;
exception when undefined_table then
  return;
end $$;
comment on function watch.heartbeats() is 'When each of the daemon''s parts last said that it lives.';

create or replace function watch.unfinished_runs()
returns table (job text, status text, runs bigint, oldest timestamptz)
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
  return query select r.pipeline_name, lower(r.status), count(*),
      min(r.create_timestamp) at time zone 'UTC'
    from public.runs r
    where r.status in ('QUEUED', 'NOT_STARTED', 'MANAGED', 'STARTING', 'STARTED', 'CANCELING')
    group by r.pipeline_name, r.status;
exception when undefined_table then
  return;
end $$;
comment on function watch.unfinished_runs() is 'Runs that wait or run, and since when the oldest.';

create or replace function watch.ended_runs(since timestamptz)
returns table (job text, status text, runs bigint, quantile float8, seconds float8)
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
  return query
    with ended as (
      select r.pipeline_name, lower(r.status) as status, count(*) as runs,
             percentile_disc(array[0.5, 0.95, 1]) within group (order by r.end_time - r.start_time)
               as at
      from public.runs r
      where r.status in ('SUCCESS', 'FAILURE', 'CANCELED')
        and r.update_timestamp >= since at time zone 'UTC'
      group by r.pipeline_name, r.status)
    select e.pipeline_name, e.status, e.runs, q.quantile::float8, e.at[q.n]
    from ended e cross join (values (1, 0.5), (2, 0.95), (3, 1)) as q(n, quantile);
exception when undefined_table then
  return;
end $$;
comment on function watch.ended_runs(timestamptz) is
  'Runs that ended since an instant, and how long they ran: median, 95 of 100, longest.';

revoke all on all functions in schema watch from public;
grant execute on all functions in schema watch to signalbox_metrics;
