-- One way into the books. An entry is known by kind and reference: whoever posts it again gets the
-- first one's id, whoever posts something else under the same reference is refused. Balance and
-- seal are triggers of the tables (migration 0011), so that they hold for the superuser too.

create or replace function ledger.write(
  kind text, reference text, happened_at timestamptz, known_at timestamptz, subscription_id uuid,
  why text, lines jsonb)
returns bigint language plpgsql security definer set search_path = pg_catalog as $$
declare
  entry bigint;
  given jsonb;
  held jsonb;
begin
  if (select count(distinct x ->> 'currency') from jsonb_array_elements(write.lines) x) > 1 then
    raise exception 'an entry is in one currency' using errcode = 'check_violation';
  end if;
  insert into ledger.entry (kind, reference, happened_at, known_at, subscription_id, why)
  values (write.kind, write.reference, write.happened_at, write.known_at, write.subscription_id,
          write.why)
  on conflict on constraint entry_kind_reference_key do nothing
  returning id into entry;
  if entry is not null then
    insert into ledger.line (entry_id, position, account, party, amount_minor, currency)
    select entry, row_number() over (order by x.ord), x.account, x.party, x.amount_minor, x.currency
    from rows from (jsonb_to_recordset(write.lines)
      as (account text, party uuid, amount_minor bigint, currency text)) with ordinality
      as x (account, party, amount_minor, currency, ord)
    where x.amount_minor is distinct from 0;
    return entry;
  end if;
  -- The other transaction has ended by now: its entry is to be seen.
  select e.id into strict entry from ledger.entry e
  where e.kind = write.kind and e.reference = write.reference;
  select jsonb_agg(to_jsonb(x) order by x.account, x.party, x.currency, x.amount_minor) into given
  from jsonb_to_recordset(write.lines)
    as x (account text, party uuid, amount_minor bigint, currency text)
  where x.amount_minor is distinct from 0;
  select jsonb_agg(to_jsonb(x) order by x.account, x.party, x.currency, x.amount_minor) into held
  from (select l.account, l.party, l.amount_minor, l.currency from ledger.line l
        where l.entry_id = entry) x;
  if given is distinct from held then
    raise exception '% % is posted already, with other lines', write.kind, write.reference
      using errcode = 'unique_violation', hint = 'A reference stands for one posting for ever.';
  end if;
  return entry;
end $$;
comment on function ledger.write(text, text, timestamptz, timestamptz, uuid, text, jsonb) is
  'As ledger.post, with a reason; for the functions of the ledger only.';

create or replace function ledger.post(
  kind text, reference text, happened_at timestamptz, known_at timestamptz, subscription_id uuid,
  lines jsonb)
returns bigint language sql security definer set search_path = pg_catalog as $$
  select ledger.write(kind, reference, happened_at, known_at, subscription_id, '', lines) $$;
comment on function ledger.post(text, text, timestamptz, timestamptz, uuid, jsonb) is
  'One balanced entry of lines {account, party, amount_minor (debit +, credit -), currency}; its id,'
  ' also where it was posted before. Raises unique_violation where the lines were others.';

create or replace function ledger.line(account text, party uuid, amount_minor bigint, currency text)
returns jsonb language sql immutable set search_path = pg_catalog as $$
  select jsonb_build_object('account', account, 'party', party, 'amount_minor', amount_minor,
                            'currency', currency) $$;
comment on function ledger.line(text, uuid, bigint, text) is 'A line as ledger.post takes it.';

create or replace function ledger.balance(of_account text, of_party uuid, of_currency text)
returns bigint language sql stable security definer set search_path = pg_catalog as $$
  select coalesce(sum(l.amount_minor), 0)::bigint from ledger.line l
  where l.account = of_account and l.party is not distinct from of_party
    and l.currency = of_currency $$;
comment on function ledger.balance(text, uuid, text) is 'Debits less credits of an account, in minor units.';

create or replace function ledger.hold(of_party uuid) returns void
language sql security definer set search_path = pg_catalog as $$
  select pg_advisory_xact_lock(hashtextextended('ledger.party:' || of_party::text, 0)) $$;
comment on function ledger.hold(uuid) is 'Nobody else draws on this person''s balance until this has ended.';
