-- What grows and proves nothing is forgotten here, a bounded number at a time. There is no such
-- function for forecasts, records, leaves, checkpoints, postings or acts on record.

create or replace function market.forget_raw_answers(before timestamptz, at_most integer)
returns integer language sql security definer set search_path = pg_catalog as $$
  with young as (
    select distinct a ->> 'digest' as digest
    from market.ingest_batch b cross join lateral jsonb_array_elements(b.answers) a
    where b.committed_at >= before),
  old as (
    select r.digest from market.raw_answer r
    where not exists (select from young y where y.digest = r.digest) limit at_most),
  gone as (delete from market.raw_answer r using old where r.digest = old.digest returning 1)
  select count(*)::integer from gone $$;
comment on function market.forget_raw_answers(timestamptz, integer) is
  'Forget sources'' answers that no batch since an instant brought; how many.';
revoke all on function market.forget_raw_answers(timestamptz, integer) from public;

create or replace function account.forget_sessions(before timestamptz, at_most integer)
returns integer language sql security definer set search_path = pg_catalog as $$
  with old as (
    select t.token_sha256 from account.refresh_token t where t.expires_at < before
    limit at_most for update skip locked),
  gone as (delete from account.refresh_token t using old
           where t.token_sha256 = old.token_sha256 returning 1)
  select count(*)::integer from gone $$;
comment on function account.forget_sessions(timestamptz, integer) is
  'Forget refresh tokens that expired before an instant; how many.';
revoke all on function account.forget_sessions(timestamptz, integer) from public;
