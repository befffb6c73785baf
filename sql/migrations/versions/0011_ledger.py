"""The ledger: double entry, invoices, reversals, payouts; what no grant can say of them."""

from alembic import op
import sqlalchemy as sa

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INSERT_ONLY = (
    "account", "entry", "line", "seal", "rate", "invoice", "invoice_line", "reversal", "payout",
    "card", "metric_day",
)
SEALED = ("line", "invoice", "reversal", "payout")

CHART = """
insert into ledger.account (code, nature, party, meaning) values
  ('cash:manual', 'asset', 'none', 'Test payments: no money'),
  ('cash:stripe', 'asset', 'none', 'What Stripe took for us, less its fees'),
  ('cash:bank', 'asset', 'none', 'The operator''s bank account: payouts leave from it'),
  ('receivable', 'asset', 'subscriber', 'Credit that was set against an invoice not made yet'),
  ('deferred_revenue', 'liability', 'none', 'Paid and not earned yet; see docs/decisions/0025'),
  ('provider_payable', 'liability', 'provider', 'Owed to a provider; the other way: owed by them'),
  ('credits', 'liability', 'subscriber', 'Credit for missed hours, not used yet'),
  ('platform_fee', 'income', 'none', 'The platform''s part of invoices'),
  ('payment_fee', 'expense', 'none', 'What payment providers keep'),
  ('refunds', 'expense', 'none', 'The platform''s part of refunds'),
  ('chargebacks', 'expense', 'none', 'The platform''s part of chargebacks');
insert into ledger.rate (basis_points, payout_minimum_minor, valid_from, known_at)
  values (2000, 1000, '2000-01-01 00:00Z', '2000-01-01 00:00Z')
"""

# Whatever a superuser inserts passes here too.
CHECK_LINE = """
create function ledger.check_line() returns trigger language plpgsql
security definer set search_path = pg_catalog as $$
declare
  kept text;
begin
  select a.party into kept from ledger.account a where a.code = new.account;
  if (kept <> 'none') <> (new.party is not null) then
    raise exception 'account % is kept by %: a line of it % a party', new.account, kept,
      case kept when 'none' then 'has not' else 'has' end using errcode = 'check_violation';
  end if;
  return new;
end $$;
comment on function ledger.check_line() is 'Trigger: a line names a party where its account is kept by person.';
create trigger line_check before insert on ledger.line
  for each row execute function ledger.check_line();
create function ledger.check_balance() returns trigger language plpgsql
security definer set search_path = pg_catalog as $$
declare
  off record;
begin
  select l.currency, sum(l.amount_minor) as amount into off from ledger.line l
  where l.entry_id = new.entry_id group by l.currency having sum(l.amount_minor) <> 0 limit 1;
  if found then
    raise exception 'entry % is out of balance by % %', new.entry_id, off.amount, off.currency
      using errcode = 'check_violation',
            hint = 'Debits are positive, credits negative; each currency sums to zero.';
  end if;
  return null;
end $$;
comment on function ledger.check_balance() is 'Trigger, deferred: the lines of an entry sum to zero.';
create constraint trigger line_balance after insert on ledger.line
  deferrable initially deferred for each row execute function ledger.check_balance()
"""

# Absent facts are left out, so that a column added later leaves old digests as they are.
DIGEST = """
create function ledger.digest_of(of_entry bigint, after bytea) returns bytea
language sql stable security definer set search_path = pg_catalog set timezone = 'UTC' as $$
  select sha256(after || convert_to(jsonb_strip_nulls(jsonb_build_object(
    'entry', to_jsonb(e),
    'lines', (select jsonb_agg(to_jsonb(l) order by l.position) from ledger.line l
              where l.entry_id = e.id),
    'invoice', (select to_jsonb(i) from ledger.invoice i where i.entry_id = e.id),
    'invoice_lines', (select jsonb_agg(to_jsonb(x) order by x.position)
                      from ledger.invoice i join ledger.invoice_line x on x.invoice_number = i.number
                      where i.entry_id = e.id),
    'reversal', (select to_jsonb(r) from ledger.reversal r where r.entry_id = e.id),
    'payout', (select to_jsonb(p) from ledger.payout p where p.entry_id = e.id)))::text, 'UTF8'))
  from ledger.entry e where e.id = of_entry $$;
comment on function ledger.digest_of(bigint, bytea) is
  'sha256 of the digest before, the entry, its lines and its documents.';
revoke all on function ledger.digest_of(bigint, bytea) from public
"""

# When the transaction commits, so that the chain is held for an instant only and by nobody who
# waits for something else.
SEAL = """
create function ledger.seal_entry() returns trigger language plpgsql
security definer set search_path = pg_catalog as $$
declare
  head record;
begin
  perform pg_advisory_xact_lock(hashtextextended('ledger.seal', 0));
  select s.position, s.digest into head from ledger.seal s order by s.position desc limit 1;
  insert into ledger.seal (position, entry_id, previous, digest)
  values (coalesce(head.position, 0) + 1, new.id, coalesce(head.digest, ''::bytea),
          ledger.digest_of(new.id, coalesce(head.digest, ''::bytea)));
  return null;
end $$;
comment on function ledger.seal_entry() is 'Trigger, deferred: an entry joins the chain when it is whole.';
create constraint trigger entry_seal after insert on ledger.entry
  deferrable initially deferred for each row execute function ledger.seal_entry();
create function ledger.refuse_after_seal() returns trigger language plpgsql
security definer set search_path = pg_catalog as $$
begin
  if exists (select from ledger.seal s where s.entry_id = new.entry_id) then
    raise exception 'entry % is sealed: nothing is added to it', new.entry_id
      using errcode = 'insufficient_privilege', hint = 'Correcting is a new entry.';
  end if;
  return new;
end $$;
comment on function ledger.refuse_after_seal() is 'Trigger: an entry is whole when its transaction ends.';
create function ledger.refuse_late_invoice_line() returns trigger language plpgsql
security definer set search_path = pg_catalog as $$
begin
  if exists (select from ledger.invoice i join ledger.seal s on s.entry_id = i.entry_id
             where i.number = new.invoice_number) then
    raise exception 'invoice % is sealed: nothing is added to it', new.invoice_number
      using errcode = 'insufficient_privilege', hint = 'Correcting is a refund and a new invoice.';
  end if;
  return new;
end $$;
comment on function ledger.refuse_late_invoice_line() is
  'Trigger: an invoice is whole when its transaction ends.';
create trigger invoice_line_before_seal before insert on ledger.invoice_line
  for each row execute function ledger.refuse_late_invoice_line()
"""

COUNTER = """
create function ledger.check_counter() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and new.last = 1 then
    return new;
  elsif tg_op = 'UPDATE' and new.year = old.year and new.last = old.last + 1 then
    return new;
  end if;
  raise exception 'ledger.invoice_counter only counts by one: % refused', tg_op
    using errcode = 'insufficient_privilege';
end $$;
comment on function ledger.check_counter() is 'Trigger: invoice numbers have no gaps.';
create trigger invoice_counter_counts before insert or update or delete on ledger.invoice_counter
  for each row execute function ledger.check_counter();
create trigger invoice_counter_no_truncate before truncate on ledger.invoice_counter
  for each statement execute function audit.refuse_change()
"""

OWN_SIGNAL = """
create function billing.refuse_own_signal() returns trigger language plpgsql
security definer set search_path = pg_catalog as $$
begin
  if exists (select from registry.signal g
             where g.id = new.signal_id and g.provider_id = new.user_id) then
    raise exception 'a provider does not subscribe to their own signal'
      using errcode = 'check_violation', constraint = 'subscription_not_to_own_signal';
  end if;
  return new;
end $$;
comment on function billing.refuse_own_signal() is 'Trigger: money from a provider to themselves is no revenue.';
create trigger subscription_not_to_own_signal before insert or update of user_id, signal_id
  on billing.subscription for each row execute function billing.refuse_own_signal()
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute("set local statement_timeout = '60s'")
    op.execute("create schema ledger")
    op.create_table('account',
    sa.Column('code', sa.Text(), nullable=False, comment='Such as cash:stripe'),
    sa.Column('nature', sa.Text(), nullable=False, comment='asset, liability, income, expense'),
    sa.Column('party', sa.Text(), nullable=False, comment='Whose lines it holds: none, provider, subscriber'),
    sa.Column('meaning', sa.Text(), nullable=False, comment='What stands on it, for people'),
    sa.CheckConstraint("nature in ('asset', 'liability', 'income', 'expense')", name=op.f('account_nature_check')),
    sa.CheckConstraint("party in ('none', 'provider', 'subscriber')", name=op.f('account_party_known_check')),
    sa.PrimaryKeyConstraint('code', name=op.f('account_pkey')),
    schema='ledger',
    comment='The chart of accounts; insert-only.'
    )
    op.create_table('entry',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Internal; rolled back ones leave gaps'),
    sa.Column('kind', sa.Text(), nullable=False, comment='See docs/decisions: invoice, refund, credit, ...'),
    sa.Column('reference', sa.Text(), nullable=False, comment='What it is for: one entry per kind and this'),
    sa.Column('happened_at', sa.DateTime(timezone=True), nullable=False, comment='When the money moved, UTC'),
    sa.Column('known_at', sa.DateTime(timezone=True), nullable=False, comment='When the platform knew, UTC'),
    sa.Column('subscription_id', sa.Uuid(), nullable=True, comment='Whose money; null: of no single subscription'),
    sa.Column('why', sa.Text(), server_default=sa.text("''"), nullable=False, comment='Reason, for people'),
    sa.CheckConstraint("kind ~ '^[a-z_]{1,40}$'", name=op.f('entry_kind_form_check')),
    sa.CheckConstraint('length(reference) between 1 and 300', name=op.f('entry_reference_length_check')),
    sa.ForeignKeyConstraint(['subscription_id'], ['billing.subscription.id'], name=op.f('entry_subscription_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('entry_pkey')),
    sa.UniqueConstraint('kind', 'reference', name=op.f('entry_kind_reference_key')),
    schema='ledger',
    comment='One balanced posting; insert-only.'
    )
    op.create_index(op.f('entry_subscription_id_idx'), 'entry', ['subscription_id'], unique=False, schema='ledger')
    op.create_table('line',
    sa.Column('entry_id', sa.BigInteger(), nullable=False, comment='Of which entry'),
    sa.Column('position', sa.Integer(), nullable=False, comment='1, 2, ... within the entry'),
    sa.Column('account', sa.Text(), nullable=False, comment='Where it is posted'),
    sa.Column('party', sa.Uuid(), nullable=True, comment='Whose, on accounts that are kept by person'),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False, comment='Minor units; debit positive, credit negative'),
    sa.Column('currency', sa.Text(), nullable=False, comment='ISO 4217'),
    sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f('line_currency_form_check')),
    sa.CheckConstraint('amount_minor <> 0 and abs(amount_minor) <= 1000000000000000', name=op.f('line_amount_in_range_check')),
    sa.ForeignKeyConstraint(['account'], ['ledger.account.code'], name=op.f('line_account_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['entry_id'], ['ledger.entry.id'], name=op.f('line_entry_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['party'], ['account.user_account.id'], name=op.f('line_party_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('entry_id', 'position', name=op.f('line_pkey')),
    schema='ledger',
    comment='One side of an entry; those of an entry sum to zero.'
    )
    op.create_index('line_account_party_idx', 'line', ['account', 'party'], unique=False, schema='ledger')
    op.create_table('seal',
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False, comment='Gapless, in commit order'),
    sa.Column('entry_id', sa.BigInteger(), nullable=False, comment='What is sealed, with its lines and documents'),
    sa.Column('previous', sa.LargeBinary(), nullable=False, comment='Digest before; empty: the first'),
    sa.Column('digest', sa.LargeBinary(), nullable=False, comment='sha256, as ledger.digest_of'),
    sa.CheckConstraint('position >= 1', name=op.f('seal_position_positive_check')),
    sa.ForeignKeyConstraint(['entry_id'], ['ledger.entry.id'], name=op.f('seal_entry_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('position', name=op.f('seal_pkey')),
    sa.UniqueConstraint('entry_id', name=op.f('seal_entry_id_key')),
    schema='ledger',
    comment='A chain of digests over all entries; insert-only.'
    )
    op.create_table('rate',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('basis_points', sa.Integer(), nullable=False, comment="Platform's fee, 1/100 % of an invoice"),
    sa.Column('payout_minimum_minor', sa.BigInteger(), nullable=False, comment='Smaller balances are carried over'),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False, comment='Of invoices paid from then on'),
    sa.Column('known_at', sa.DateTime(timezone=True), nullable=False, comment='When it was decided'),
    sa.CheckConstraint('basis_points between 0 and 10000', name=op.f('rate_basis_points_in_range_check')),
    sa.CheckConstraint('payout_minimum_minor >= 1', name=op.f('rate_minimum_positive_check')),
    sa.CheckConstraint('valid_from >= known_at', name=op.f('rate_not_backdated_check')),
    sa.PrimaryKeyConstraint('id', name=op.f('rate_pkey')),
    schema='ledger',
    comment='What the platform takes; the newest valid one holds.'
    )
    op.create_table('invoice_counter',
    sa.Column('year', sa.Integer(), autoincrement=False, nullable=False, comment='UTC'),
    sa.Column('last', sa.Integer(), nullable=False, comment='Grows by one, so that numbers are gapless'),
    sa.PrimaryKeyConstraint('year', name=op.f('invoice_counter_pkey')),
    schema='ledger',
    comment='Last invoice of each year; locked while one is made.'
    )
    op.create_table('invoice',
    sa.Column('number', sa.Text(), nullable=False, comment='Such as 2026-000001'),
    sa.Column('year', sa.Integer(), nullable=False, comment='Of issued_at, UTC'),
    sa.Column('sequence', sa.Integer(), nullable=False, comment='Gapless within the year'),
    sa.Column('entry_id', sa.BigInteger(), nullable=False, comment='Its posting'),
    sa.Column('subscription_id', sa.Uuid(), nullable=False, comment='What for'),
    sa.Column('user_id', sa.Uuid(), nullable=False, comment='Subscriber'),
    sa.Column('provider_id', sa.Uuid(), nullable=False, comment='Provider'),
    sa.Column('signal_id', sa.BigInteger(), nullable=False, comment='Signal'),
    sa.Column('period_start', sa.DateTime(timezone=True), nullable=False, comment='Paid from, inclusive'),
    sa.Column('period_end', sa.DateTime(timezone=True), nullable=False, comment='Paid until, exclusive'),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False, comment='Price of the period'),
    sa.Column('credit_minor', sa.BigInteger(), nullable=False, comment='Of it, paid by credit'),
    sa.Column('platform_fee_minor', sa.BigInteger(), nullable=False, comment="The platform's part"),
    sa.Column('payment_fee_minor', sa.BigInteger(), nullable=False, comment='What the payment provider kept; borne by the platform'),
    sa.Column('currency', sa.Text(), nullable=False, comment='ISO 4217'),
    sa.Column('payment_provider', sa.Text(), nullable=False, comment='manual, stripe'),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=False, comment='When the money moved'),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False, comment='When the platform knew'),
    sa.CheckConstraint("number = year::text || '-' || lpad(sequence::text, 6, '0')", name=op.f('invoice_number_form_check')),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('invoice_amount_not_negative_check')),
    sa.CheckConstraint('credit_minor between 0 and amount_minor', name=op.f('invoice_credit_in_range_check')),
    sa.CheckConstraint('payment_fee_minor >= 0', name=op.f('invoice_payment_fee_not_negative_check')),
    sa.CheckConstraint('period_start < period_end', name=op.f('invoice_period_not_empty_check')),
    sa.CheckConstraint('platform_fee_minor between 0 and amount_minor', name=op.f('invoice_fee_in_range_check')),
    sa.CheckConstraint('user_id <> provider_id', name=op.f('invoice_not_to_oneself_check')),
    sa.ForeignKeyConstraint(['entry_id'], ['ledger.entry.id'], name=op.f('invoice_entry_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['provider_id'], ['account.user_account.id'], name=op.f('invoice_provider_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['signal_id'], ['registry.signal.id'], name=op.f('invoice_signal_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['subscription_id'], ['billing.subscription.id'], name=op.f('invoice_subscription_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['user_id'], ['account.user_account.id'], name=op.f('invoice_user_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('number', name=op.f('invoice_pkey')),
    sa.UniqueConstraint('entry_id', name=op.f('invoice_entry_id_key')),
    sa.UniqueConstraint('year', 'sequence', name=op.f('invoice_year_sequence_key')),
    schema='ledger',
    comment='A paid period of a subscription; insert-only.'
    )
    op.create_index(op.f('invoice_period_end_idx'), 'invoice', ['period_end'], unique=False, schema='ledger')
    op.create_index(op.f('invoice_provider_id_idx'), 'invoice', ['provider_id'], unique=False, schema='ledger')
    op.create_index(op.f('invoice_subscription_id_idx'), 'invoice', ['subscription_id'], unique=False, schema='ledger')
    op.create_index(op.f('invoice_user_id_idx'), 'invoice', ['user_id'], unique=False, schema='ledger')
    op.create_table('invoice_line',
    sa.Column('invoice_number', sa.Text(), nullable=False, comment='Of which invoice'),
    sa.Column('position', sa.Integer(), nullable=False, comment='1, 2, ... on the invoice'),
    sa.Column('description', sa.Text(), nullable=False, comment='For people'),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False, comment='Minor units; credit negative'),
    sa.ForeignKeyConstraint(['invoice_number'], ['ledger.invoice.number'], name=op.f('invoice_line_invoice_number_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('invoice_number', 'position', name=op.f('invoice_line_pkey')),
    schema='ledger',
    comment='What an invoice lists; insert-only.'
    )
    op.create_table('reversal',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('entry_id', sa.BigInteger(), nullable=False, comment='Its posting'),
    sa.Column('invoice_number', sa.Text(), nullable=False, comment='Of which'),
    sa.Column('kind', sa.Text(), nullable=False, comment='refund, chargeback'),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False, comment='Back to the subscriber'),
    sa.Column('provider_minor', sa.BigInteger(), nullable=False, comment='Of it, from the provider'),
    sa.Column('platform_minor', sa.BigInteger(), nullable=False, comment='Of it, from the platform'),
    sa.Column('fee_minor', sa.BigInteger(), nullable=False, comment='Of the payment provider, for a dispute; borne by the platform'),
    sa.Column('happened_at', sa.DateTime(timezone=True), nullable=False, comment='When the money went back'),
    sa.CheckConstraint("kind in ('refund', 'chargeback')", name=op.f('reversal_kind_known_check')),
    sa.CheckConstraint('amount_minor = provider_minor + platform_minor', name=op.f('reversal_parts_add_up_check')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('reversal_amount_positive_check')),
    sa.CheckConstraint('fee_minor >= 0', name=op.f('reversal_fee_not_negative_check')),
    sa.ForeignKeyConstraint(['entry_id'], ['ledger.entry.id'], name=op.f('reversal_entry_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['invoice_number'], ['ledger.invoice.number'], name=op.f('reversal_invoice_number_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('reversal_pkey')),
    sa.UniqueConstraint('entry_id', name=op.f('reversal_entry_id_key')),
    schema='ledger',
    comment='Money of an invoice that went back; insert-only.'
    )
    op.create_index(op.f('reversal_invoice_number_idx'), 'reversal', ['invoice_number'], unique=False, schema='ledger')
    op.create_table('payout',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('entry_id', sa.BigInteger(), nullable=False, comment='Its posting; without lines where nothing was paid'),
    sa.Column('provider_id', sa.Uuid(), nullable=False, comment='To whom'),
    sa.Column('month', sa.Date(), nullable=False, comment='First day of the month settled, UTC'),
    sa.Column('currency', sa.Text(), nullable=False, comment='ISO 4217'),
    sa.Column('balance_minor', sa.BigInteger(), nullable=False, comment='Owed for the month and all before; negative: owed to the platform'),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False, comment='Paid; zero: carried over'),
    sa.Column('carried', sa.Text(), nullable=True, comment='Why nothing was paid'),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=False, comment='When'),
    sa.CheckConstraint("carried in ('below_minimum', 'negative')", name=op.f('payout_carried_known_check')),
    sa.CheckConstraint('(amount_minor = 0) = (carried is not null)', name=op.f('payout_carried_says_why_check')),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('payout_amount_not_negative_check')),
    sa.CheckConstraint('extract(day from month) = 1', name=op.f('payout_month_is_a_first_check')),
    sa.ForeignKeyConstraint(['entry_id'], ['ledger.entry.id'], name=op.f('payout_entry_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['provider_id'], ['account.user_account.id'], name=op.f('payout_provider_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('payout_pkey')),
    sa.UniqueConstraint('entry_id', name=op.f('payout_entry_id_key')),
    sa.UniqueConstraint('provider_id', 'month', 'currency', name=op.f('payout_provider_id_month_currency_key')),
    schema='ledger',
    comment="One provider's month, settled once; insert-only."
    )
    op.create_table('card',
    sa.Column('user_id', sa.Uuid(), nullable=False, comment='Who paid'),
    sa.Column('fingerprint_sha256', sa.LargeBinary(), nullable=False, comment="Of the payment provider's fingerprint of the card"),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), nullable=False, comment='When it was first used'),
    sa.ForeignKeyConstraint(['user_id'], ['account.user_account.id'], name=op.f('card_user_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('user_id', 'fingerprint_sha256', name=op.f('card_pkey')),
    schema='ledger',
    comment='Which people paid by which card; insert-only.'
    )
    op.create_table('metric_day',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('day', sa.Date(), nullable=False, comment='UTC; the figure is of its end'),
    sa.Column('metric', sa.Text(), nullable=False, comment='mrr, active, trials, conversion, churn, revenue'),
    sa.Column('currency', sa.Text(), nullable=True, comment='Of money, which is in minor units'),
    sa.Column('signal_id', sa.BigInteger(), nullable=True, comment='Of revenue; null: the whole installation'),
    sa.Column('value', sa.Float(precision=53), nullable=True, comment='Null where not defined'),
    sa.Column('reason', sa.Text(), nullable=True, comment='Why it is null'),
    sa.Column('computed_at', sa.DateTime(timezone=True), nullable=False, comment='When'),
    sa.CheckConstraint('num_nulls(value, reason) = 1', name=op.f('metric_day_null_says_why_check')),
    sa.ForeignKeyConstraint(['signal_id'], ['registry.signal.id'], name=op.f('metric_day_signal_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('metric_day_pkey')),
    schema='ledger',
    comment='Figures by docs/operations/business.md; insert-only, the newest counts.'
    )
    op.create_index('metric_day_day_idx', 'metric_day', ['day', 'metric'], unique=False, schema='ledger')
    op.execute(CHART)
    for statements in (CHECK_LINE, DIGEST, SEAL, COUNTER, OWN_SIGNAL):
        op.execute(statements)
    for table in SEALED:
        op.execute(
            f"create trigger {table}_before_seal before insert on ledger.{table}"
            " for each row execute function ledger.refuse_after_seal()"
        )
    for table in INSERT_ONLY:
        op.execute(
            f"create trigger ledger_{table}_insert_only before update or delete on ledger.{table}"
            " for each row execute function audit.refuse_change()"
        )
        op.execute(
            f"create trigger ledger_{table}_no_truncate before truncate on ledger.{table}"
            " for each statement execute function audit.refuse_change()"
        )
