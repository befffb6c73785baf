"""Every table of the first house."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute("set local statement_timeout = '60s'")
    for schema in ('account', 'audit', 'registry', 'market', 'forecast', 'transparency', 'score', 'billing'):
        op.execute(f'create schema {schema}')
    op.create_table('user_account',
    sa.Column('id', sa.Uuid(), nullable=False, comment='Random, never reused'),
    sa.Column('handle', sa.Text(), nullable=False, comment='First half of provider/name'),
    sa.Column('email', sa.Text(), nullable=False, comment='Lower case'),
    sa.Column('password_hash', sa.Text(), nullable=False, comment='argon2id, PHC string'),
    sa.Column('role', sa.Text(), nullable=False, comment='member, or operator of this installation'),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False, comment='When the account was registered'),
    sa.CheckConstraint("handle ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'", name=op.f('user_account_handle_form_check')),
    sa.CheckConstraint("role in ('member', 'operator')", name=op.f('user_account_role_known_check')),
    sa.CheckConstraint('email = lower(email)', name=op.f('user_account_email_lower_check')),
    sa.PrimaryKeyConstraint('id', name=op.f('user_account_pkey')),
    sa.UniqueConstraint('email', name=op.f('user_account_email_key')),
    sa.UniqueConstraint('handle', name=op.f('user_account_handle_key')),
    schema='account',
    comment='A person; every person may provide and subscribe.'
    )
    op.create_table('payment_event',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of arrival'),
    sa.Column('provider', sa.Text(), nullable=False, comment='manual, stripe'),
    sa.Column('external_id', sa.Text(), nullable=False, comment="The provider's id of the event"),
    sa.Column('kind', sa.Text(), nullable=False, comment='checkout.paid, ...'),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False, comment='When it arrived'),
    sa.Column('payload', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='As delivered'),
    sa.PrimaryKeyConstraint('id', name=op.f('payment_event_pkey')),
    sa.UniqueConstraint('provider', 'external_id', name=op.f('payment_event_provider_external_id_key')),
    schema='billing',
    comment='Inbox of payment events; each has one effect.'
    )
    op.create_table('ingest_batch',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Gapless, in commit order'),
    sa.Column('source', sa.Text(), nullable=False, comment='file, sample, ...'),
    sa.Column('fetched_at', sa.DateTime(timezone=True), nullable=False, comment='When the source answered'),
    sa.Column('committed_at', sa.DateTime(timezone=True), nullable=False, comment='When we knew it'),
    sa.Column('is_history', sa.Boolean(), nullable=False, comment='Imported past: already revised by its source'),
    sa.Column('raw_digest', sa.Text(), nullable=False, comment='sha256 of the raw answer'),
    sa.Column('counts', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='new, same, corrected, rejected'),
    sa.Column('answers', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False, comment='Symbol, period and digest of each answer'),
    sa.PrimaryKeyConstraint('id', name=op.f('ingest_batch_pkey')),
    schema='market',
    comment='One delivery of bars; its id orders what we knew.'
    )
    op.create_table('instrument',
    sa.Column('id', sa.Integer(), nullable=False, comment='Internal'),
    sa.Column('symbol', sa.Text(), nullable=False, comment="The platform's name for it"),
    sa.Column('calendar', sa.Text(), nullable=False, comment="24x7, FX, METAL or an exchange's MIC"),
    sa.Column('is_sample', sa.Boolean(), nullable=False, comment='Sample data, labelled wherever it appears'),
    sa.Column('currency', sa.Text(), nullable=True, comment='Of its prices; null: not known'),
    sa.Column('tick_size', sa.Float(precision=53), nullable=True, comment='Smallest step of its price; null: not known'),
    sa.PrimaryKeyConstraint('id', name=op.f('instrument_pkey')),
    sa.UniqueConstraint('symbol', name=op.f('instrument_symbol_key')),
    schema='market',
    comment='What is traded.'
    )
    op.create_table('instrument_alias',
    sa.Column('instrument_id', sa.Integer(), nullable=False, comment='Which instrument'),
    sa.Column('source', sa.Text(), nullable=False, comment='As in ingest_batch'),
    sa.Column('alias', sa.Text(), nullable=False, comment='Its name there'),
    sa.ForeignKeyConstraint(['instrument_id'], ['market.instrument.id'], name=op.f('instrument_alias_instrument_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('instrument_id', 'source', name=op.f('instrument_alias_pkey')),
    sa.UniqueConstraint('source', 'alias', name=op.f('instrument_alias_source_alias_key')),
    schema='market',
    comment='What a source calls an instrument.'
    )
    op.create_table('raw_answer',
    sa.Column('digest', sa.Text(), nullable=False, comment='sha256 of the answer'),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False, comment='Before compression'),
    sa.Column('body', sa.LargeBinary(), nullable=False, comment='Compressed by zlib'),
    sa.PrimaryKeyConstraint('digest', name=op.f('raw_answer_pkey')),
    schema='market',
    comment="Sources' answers as they came; equal ones once."
    )
    op.create_table('api_key',
    sa.Column('id', sa.Text(), nullable=False, comment='Public half, shown in lists'),
    sa.Column('user_id', sa.Uuid(), nullable=False, comment='Owner'),
    sa.Column('name', sa.Text(), nullable=False, comment='What the owner calls it'),
    sa.Column('secret_sha256', sa.LargeBinary(), nullable=False, comment='Of the random secret'),
    sa.Column('scopes', postgresql.ARRAY(sa.Text()), nullable=False, comment='read, push'),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False, comment='When it was made'),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True, comment='Refused from then on'),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True, comment='Refused from then on'),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True, comment='To the minute'),
    sa.ForeignKeyConstraint(['user_id'], ['account.user_account.id'], name=op.f('api_key_user_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('api_key_pkey')),
    schema='account',
    comment="A machine's secret, by its sha256 only."
    )
    op.create_index(op.f('api_key_user_id_idx'), 'api_key', ['user_id'], unique=False, schema='account')
    op.create_table('refresh_token',
    sa.Column('token_sha256', sa.LargeBinary(), nullable=False, comment='Of the random token'),
    sa.Column('family_id', sa.Uuid(), nullable=False, comment='One login'),
    sa.Column('user_id', sa.Uuid(), nullable=False, comment='Owner'),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False, comment='When it was handed out'),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False, comment='Refused from then on'),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True, comment='When it was exchanged'),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True, comment='When its family ended'),
    sa.ForeignKeyConstraint(['user_id'], ['account.user_account.id'], name=op.f('refresh_token_user_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('token_sha256', name=op.f('refresh_token_pkey')),
    schema='account',
    comment='Rotating refresh tokens; a reused one ends its family.'
    )
    op.create_index(op.f('refresh_token_family_id_idx'), 'refresh_token', ['family_id'], unique=False, schema='account')
    op.create_index(op.f('refresh_token_user_id_idx'), 'refresh_token', ['user_id'], unique=False, schema='account')
    op.create_table('event',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False, comment='When it happened'),
    sa.Column('actor_id', sa.Uuid(), nullable=True, comment='Null: the platform'),
    sa.Column('action', sa.Text(), nullable=False, comment='noun.verb, such as version.offline'),
    sa.Column('subject', sa.Text(), nullable=False, comment='What it was done to'),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='Whatever explains it; never a secret'),
    sa.ForeignKeyConstraint(['actor_id'], ['account.user_account.id'], name=op.f('event_actor_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('event_pkey')),
    schema='audit',
    comment='Who did what to what; insert-only.'
    )
    op.create_table('bar',
    sa.Column('instrument_id', sa.Integer(), nullable=False, comment='Which instrument'),
    sa.Column('ts_open', sa.DateTime(timezone=True), nullable=False, comment='Start, inclusive'),
    sa.Column('ts_close', sa.DateTime(timezone=True), nullable=False, comment='End, exclusive'),
    sa.Column('available_at', sa.DateTime(timezone=True), nullable=False, comment='When a model could first have seen it'),
    sa.Column('batch_id', sa.BigInteger(), nullable=False, comment='When we learnt it'),
    sa.Column('open', sa.Float(precision=53), nullable=False, comment='Price'),
    sa.Column('high', sa.Float(precision=53), nullable=False, comment='Price'),
    sa.Column('low', sa.Float(precision=53), nullable=False, comment='Price'),
    sa.Column('close', sa.Float(precision=53), nullable=False, comment='Price'),
    sa.Column('volume', sa.Float(precision=53), nullable=True, comment='Units; null: not published'),
    sa.CheckConstraint("low > 0 and low <= least(open, close) and high >= greatest(open, close) and high < 'Infinity' and (volume is null or (volume >= 0 and volume < 'Infinity'))", name=op.f('bar_prices_consistent_check')),
    sa.CheckConstraint("ts_close > ts_open and ts_close <= ts_open + interval '1 hour'", name=op.f('bar_at_most_an_hour_check')),
    sa.CheckConstraint('available_at >= ts_close', name=op.f('bar_known_after_it_closed_check')),
    sa.ForeignKeyConstraint(['batch_id'], ['market.ingest_batch.id'], name=op.f('bar_batch_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['instrument_id'], ['market.instrument.id'], name=op.f('bar_instrument_id_fkey'), ondelete='restrict'),
    schema='market',
    comment='Hourly bars, insert-only: a correction is a new row.'
    )
    op.create_index('bar_asof', 'bar', ['instrument_id', 'ts_open', sa.literal_column('available_at desc'), sa.literal_column('batch_id desc')], unique=True, schema='market', postgresql_include=['ts_close', 'open', 'high', 'low', 'close', 'volume'])
    op.create_table('reject',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('batch_id', sa.BigInteger(), nullable=False, comment='Which delivery'),
    sa.Column('symbol', sa.Text(), nullable=False, comment='As delivered'),
    sa.Column('row_number', sa.BigInteger(), nullable=False, comment='Position in the delivery, from 0'),
    sa.Column('rule', sa.Text(), nullable=False, comment='Name of the rule'),
    sa.Column('row', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='The row as delivered'),
    sa.ForeignKeyConstraint(['batch_id'], ['market.ingest_batch.id'], name=op.f('reject_batch_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('reject_pkey')),
    schema='market',
    comment='Rows refused, with the rule they broke.'
    )
    op.create_index(op.f('reject_batch_id_idx'), 'reject', ['batch_id'], unique=False, schema='market')
    op.create_table('signal',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Internal'),
    sa.Column('provider_id', sa.Uuid(), nullable=False, comment='Owner'),
    sa.Column('name', sa.Text(), nullable=False, comment='Second half of provider/name'),
    sa.Column('title', sa.Text(), nullable=False, comment='From the newest manifest'),
    sa.Column('description', sa.Text(), nullable=False, comment='From the newest manifest'),
    sa.Column('visibility', sa.Text(), nullable=False, comment='private: only its provider sees it'),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False, comment='When it was first pushed or made'),
    sa.CheckConstraint("visibility in ('private', 'public')", name=op.f('signal_visibility_known_check')),
    sa.ForeignKeyConstraint(['provider_id'], ['account.user_account.id'], name=op.f('signal_provider_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('signal_pkey')),
    sa.UniqueConstraint('provider_id', 'name', name=op.f('signal_provider_id_name_key')),
    schema='registry',
    comment='provider/name; a name once used stays used.'
    )
    op.create_table('price',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('signal_id', sa.BigInteger(), nullable=False, comment='What is offered'),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False, comment='Per month, in cents'),
    sa.Column('currency', sa.Text(), nullable=False, comment='ISO 4217'),
    sa.Column('trial_days', sa.Integer(), nullable=False, comment='0..30'),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False, comment='Binds subscriptions from then on'),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('price_not_negative_check')),
    sa.CheckConstraint('trial_days between 0 and 30', name=op.f('price_trial_at_most_30_days_check')),
    sa.ForeignKeyConstraint(['signal_id'], ['registry.signal.id'], name=op.f('price_signal_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('price_pkey')),
    schema='billing',
    comment='Offers, insert-only: the newest binds new subscribers.'
    )
    op.create_index(op.f('price_signal_id_idx'), 'price', ['signal_id'], unique=False, schema='billing')
    op.create_table('version',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Internal'),
    sa.Column('signal_id', sa.BigInteger(), nullable=False, comment='Whose version'),
    sa.Column('version', sa.Text(), nullable=False, comment='The tag, such as v1.2.0'),
    sa.Column('state', sa.Text(), nullable=False, comment='building, live, offline, retired, rejected'),
    sa.Column('reserved_at', sa.DateTime(timezone=True), nullable=False, comment='When the push began'),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True, comment='When it went live'),
    sa.Column('pushed_by', sa.Uuid(), nullable=False, comment='Who pushed the tag'),
    sa.Column('commit_sha', sa.Text(), nullable=False, comment='Git commit of the tag'),
    sa.Column('tree_digest', sa.Text(), nullable=True, comment='sha256 over the sorted tree'),
    sa.Column('manifest', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='signal.toml, parsed'),
    sa.Column('lock', sa.Text(), nullable=True, comment='Requirements with hashes'),
    sa.Column('lock_digest', sa.Text(), nullable=True, comment='sha256 of the lock'),
    sa.Column('sbom', sa.Text(), nullable=True, comment='CycloneDX, canonical JSON'),
    sa.Column('base_digest', sa.Text(), nullable=True, comment='Layer of the base image'),
    sa.Column('dependencies_digest', sa.Text(), nullable=True, comment='Layer of the lock'),
    sa.Column('source_digest', sa.Text(), nullable=True, comment='Layer of the source'),
    sa.Column('image_digest', sa.Text(), nullable=True, comment='What runs, in either engine'),
    sa.Column('why', sa.Text(), nullable=True, comment='Why it was rejected'),
    sa.CheckConstraint("state in ('building', 'live', 'offline', 'retired', 'rejected')", name=op.f('version_state_known_check')),
    sa.CheckConstraint("state in ('building', 'rejected') or (published_at is not null and image_digest is not null and lock_digest is not null and tree_digest is not null)", name=op.f('version_published_is_complete_check')),
    sa.CheckConstraint("version ~ '^v[0-9]+\\.[0-9]+\\.[0-9]+$'", name=op.f('version_semver_check')),
    sa.ForeignKeyConstraint(['pushed_by'], ['account.user_account.id'], name=op.f('version_pushed_by_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['signal_id'], ['registry.signal.id'], name=op.f('version_signal_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('version_pkey')),
    sa.UniqueConstraint('signal_id', 'version', name=op.f('version_signal_id_version_key')),
    schema='registry',
    comment='One published tag; its facts never change.'
    )
    op.create_table('leaf',
    sa.Column('index', sa.BigInteger(), autoincrement=False, nullable=False, comment='Position, gapless from 0'),
    sa.Column('kind', sa.Text(), nullable=False, comment='version/v1, forecast/v1, missed/v1, ...'),
    sa.Column('signal_id', sa.BigInteger(), nullable=False, comment='Whose chain'),
    sa.Column('seq', sa.BigInteger(), nullable=False, comment='Gapless from 0 within the signal'),
    sa.Column('body', sa.LargeBinary(), nullable=False, comment='Canonical JSON'),
    sa.Column('leaf_hash', sa.LargeBinary(), nullable=False, comment='RFC 6962: sha256(0x00 || body)'),
    sa.Column('appended_at', sa.DateTime(timezone=True), nullable=False, comment='Proves nothing by itself'),
    sa.ForeignKeyConstraint(['signal_id'], ['registry.signal.id'], name=op.f('leaf_signal_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('index', name=op.f('leaf_pkey')),
    sa.UniqueConstraint('signal_id', 'seq', name=op.f('leaf_signal_id_seq_key')),
    schema='transparency',
    comment='The log, in order; insert-only.'
    )
    op.create_table('subscription',
    sa.Column('id', sa.Uuid(), nullable=False, comment='Random'),
    sa.Column('user_id', sa.Uuid(), nullable=False, comment='Subscriber'),
    sa.Column('signal_id', sa.BigInteger(), nullable=False, comment='Signal'),
    sa.Column('price_id', sa.BigInteger(), nullable=False, comment='Terms agreed'),
    sa.Column('state', sa.Text(), nullable=False, comment='See docs/glossary.md'),
    sa.Column('payment_provider', sa.Text(), nullable=False, comment='manual, stripe'),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False, comment='When it was asked for'),
    sa.Column('period_start', sa.DateTime(timezone=True), nullable=True, comment='Access from, inclusive'),
    sa.Column('period_end', sa.DateTime(timezone=True), nullable=True, comment='Access until, exclusive'),
    sa.Column('had_trial', sa.Boolean(), nullable=False, comment='One trial per person and signal'),
    sa.Column('cancel_at_period_end', sa.Boolean(), nullable=False, comment='Ends when the period does'),
    sa.CheckConstraint("state in ('incomplete', 'trialing', 'active', 'past_due', 'canceled', 'expired')", name=op.f('subscription_state_known_check')),
    sa.ForeignKeyConstraint(['price_id'], ['billing.price.id'], name=op.f('subscription_price_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['signal_id'], ['registry.signal.id'], name=op.f('subscription_signal_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['user_id'], ['account.user_account.id'], name=op.f('subscription_user_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('subscription_pkey')),
    schema='billing',
    comment="One person's access to one signal."
    )
    op.create_index('subscription_one_open', 'subscription', ['user_id', 'signal_id'], unique=True, schema='billing', postgresql_where=sa.text("state not in ('canceled', 'expired')"))
    op.create_index(op.f('subscription_signal_id_idx'), 'subscription', ['signal_id'], unique=False, schema='billing')
    op.create_table('slot_record',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Internal'),
    sa.Column('version_id', sa.BigInteger(), nullable=False, comment='Which version'),
    sa.Column('slot', sa.DateTime(timezone=True), nullable=False, comment='as_of: the hour the forecast was made at'),
    sa.Column('provenance', sa.Text(), nullable=False, comment='live, late, missed, replayed, backfilled'),
    sa.Column('reason', sa.Text(), nullable=True, comment='Of a miss: kind, then what happened'),
    sa.Column('cutoff', sa.DateTime(timezone=True), nullable=False, comment='Bars available by then were visible'),
    sa.Column('max_batch', sa.BigInteger(), nullable=False, comment='Newest ingest batch read'),
    sa.Column('input_digest', sa.Text(), nullable=True, comment='sha256 of the window given'),
    sa.Column('image_digest', sa.Text(), nullable=False, comment='What ran'),
    sa.Column('engine', sa.Text(), nullable=False, comment='docker or embedded'),
    sa.Column('path', sa.Text(), nullable=False, comment='cold, forked or replay'),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False, comment='When this row was written'),
    sa.Column('wall_ms', sa.Float(precision=53), nullable=False, comment='Of this slot in the sandbox'),
    sa.Column('cpu_ms', sa.Float(precision=53), nullable=True, comment='User and system time of its sandbox; null where not measured'),
    sa.Column('peak_memory_mb', sa.Float(precision=53), nullable=True, comment='MiB its sandbox held at most; null where not measured'),
    sa.Column('dagster_run_id', sa.Text(), nullable=True, comment='Run that wrote it'),
    sa.Column('leaf_index', sa.BigInteger(), nullable=True, comment='Its leaf; null for replayed and backfilled'),
    sa.Column('log', sa.Text(), nullable=False, comment="The model's stdout and stderr, cut at 64 KB"),
    sa.CheckConstraint("path in ('cold', 'forked', 'replay')", name=op.f('slot_record_path_known_check')),
    sa.CheckConstraint("(provenance = 'missed') = (reason is not null)", name=op.f('slot_record_missed_says_why_check')),
    sa.CheckConstraint("provenance in ('live', 'late', 'missed', 'replayed', 'backfilled')", name=op.f('slot_record_provenance_known_check')),
    sa.CheckConstraint('extract(minute from slot) = 0 and extract(second from slot) = 0', name=op.f('slot_record_slot_on_the_hour_check')),
    sa.ForeignKeyConstraint(['leaf_index'], ['transparency.leaf.index'], name=op.f('slot_record_leaf_index_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['version_id'], ['registry.version.id'], name=op.f('slot_record_version_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('slot_record_pkey')),
    sa.UniqueConstraint('version_id', 'slot', 'provenance', name=op.f('slot_record_version_id_slot_provenance_key')),
    schema='forecast',
    comment='One version at one slot; insert-only.'
    )
    op.create_index('slot_record_due_once', 'slot_record', ['version_id', 'slot'], unique=True, schema='forecast', postgresql_where=sa.text("provenance in ('live', 'late', 'missed')"))
    op.create_index('slot_record_slot_idx', 'slot_record', ['slot'], unique=False, schema='forecast')
    op.create_table('replay_audit',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Internal'),
    sa.Column('version_id', sa.BigInteger(), nullable=False, comment='Which version'),
    sa.Column('first_slot', sa.DateTime(timezone=True), nullable=False, comment='Earliest slot run again'),
    sa.Column('last_slot', sa.DateTime(timezone=True), nullable=False, comment='Latest slot run again, inclusive'),
    sa.Column('audited', sa.Integer(), nullable=False, comment='How many slots were drawn'),
    sa.Column('differing', sa.Integer(), nullable=False, comment='How many gave another answer'),
    sa.Column('first_difference', sa.Text(), nullable=True, comment='Slot and row, for people'),
    sa.Column('dagster_run_id', sa.Text(), nullable=True, comment='Run that audited'),
    sa.Column('audited_at', sa.DateTime(timezone=True), nullable=False, comment='When'),
    sa.CheckConstraint('differing between 0 and audited', name=op.f('replay_audit_differing_in_range_check')),
    sa.CheckConstraint('(differing > 0) = (first_difference is not null)', name=op.f('replay_audit_difference_is_named_check')),
    sa.ForeignKeyConstraint(['version_id'], ['registry.version.id'], name=op.f('replay_audit_version_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('replay_audit_pkey')),
    schema='forecast',
    comment='Replayed slots run again in fresh sandboxes; insert-only.'
    )
    op.create_index(op.f('replay_audit_version_id_idx'), 'replay_audit', ['version_id'], unique=False, schema='forecast')
    op.create_table('version_event',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('version_id', sa.BigInteger(), nullable=False, comment='Which'),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False, comment='When'),
    sa.Column('actor_id', sa.Uuid(), nullable=True, comment='Null: the platform'),
    sa.Column('to_state', sa.Text(), nullable=False, comment='New state'),
    sa.Column('why', sa.Text(), nullable=False, comment='Reason, for people'),
    sa.ForeignKeyConstraint(['actor_id'], ['account.user_account.id'], name=op.f('version_event_actor_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['version_id'], ['registry.version.id'], name=op.f('version_event_version_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('version_event_pkey')),
    schema='registry',
    comment='Every change of state; insert-only.'
    )
    op.create_index(op.f('version_event_version_id_idx'), 'version_event', ['version_id'], unique=False, schema='registry')
    op.create_table('forecast',
    sa.Column('slot_record_id', sa.BigInteger(), nullable=False, comment='Version and slot'),
    sa.Column('instrument_id', sa.Integer(), nullable=False, comment='Symbol'),
    sa.Column('horizon_hours', sa.Integer(), nullable=False, comment='Whole hours'),
    sa.Column('target_time', sa.DateTime(timezone=True), nullable=False, comment='slot + horizon'),
    sa.Column('point', sa.Float(precision=53), nullable=False, comment='Log return, or price'),
    sa.Column('quantiles', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='[[level, value], ...]'),
    sa.Column('probability_up', sa.Float(precision=53), nullable=True, comment='P(close rises)'),
    sa.CheckConstraint('horizon_hours between 1 and 168', name=op.f('forecast_horizon_in_range_check')),
    sa.CheckConstraint('probability_up between 0 and 1', name=op.f('forecast_probability_in_range_check')),
    sa.ForeignKeyConstraint(['instrument_id'], ['market.instrument.id'], name=op.f('forecast_instrument_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['slot_record_id'], ['forecast.slot_record.id'], name=op.f('forecast_slot_record_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('slot_record_id', 'instrument_id', 'horizon_hours', name=op.f('forecast_pkey')),
    schema='forecast',
    comment='One number for a symbol and horizon; insert-only.'
    )
    op.create_table('opening',
    sa.Column('slot_record_id', sa.BigInteger(), nullable=False, comment='Version and slot'),
    sa.Column('salt', sa.LargeBinary(), nullable=False, comment='32 random bytes'),
    sa.Column('payload', sa.LargeBinary(), nullable=False, comment='Canonical JSON of the forecasts'),
    sa.ForeignKeyConstraint(['slot_record_id'], ['forecast.slot_record.id'], name=op.f('opening_slot_record_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('slot_record_id', name=op.f('opening_pkey')),
    schema='forecast',
    comment="What opens a forecast leaf's commitment; insert-only."
    )
    op.create_table('score',
    sa.Column('slot_record_id', sa.BigInteger(), nullable=False, comment='Forecast'),
    sa.Column('instrument_id', sa.Integer(), nullable=False, comment='Forecast'),
    sa.Column('horizon_hours', sa.Integer(), nullable=False, comment='Forecast'),
    sa.Column('outcome_batch_id', sa.BigInteger(), nullable=False, comment='Newest batch among the bars that decided it'),
    sa.Column('scored_at', sa.DateTime(timezone=True), nullable=False, comment='When'),
    sa.Column('outcome', sa.Float(precision=53), nullable=False, comment="In the forecast's unit"),
    sa.Column('error', sa.Float(precision=53), nullable=False, comment='point - outcome'),
    sa.Column('absolute_error', sa.Float(precision=53), nullable=False, comment='|error|'),
    sa.Column('squared_error', sa.Float(precision=53), nullable=False, comment='error squared'),
    sa.Column('hit', sa.Boolean(), nullable=True, comment='Direction right; null: the forecast or the market had none'),
    sa.ForeignKeyConstraint(['slot_record_id', 'instrument_id', 'horizon_hours'], ['forecast.forecast.slot_record_id', 'forecast.forecast.instrument_id', 'forecast.forecast.horizon_hours'], name=op.f('score_slot_record_id_instrument_id_horizon_hours_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('slot_record_id', 'instrument_id', 'horizon_hours', 'outcome_batch_id', name=op.f('score_pkey')),
    schema='score',
    comment='Insert-only: a corrected outcome scores again in a new row.'
    )
