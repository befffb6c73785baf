"""The state machine of subscriptions, payments with one effect each, and proposals of new prices."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INSERT_ONLY = (
    "subscription_event",
    "outbox",
    "trial_mark",
    "payment",
    "applied_event",
    "reconciliation",
    "proposal",
    "consent",
)

# Trials that were given before are given: by account, as nobody kept an e-mail's mark then.
OLD_TRIALS = """
insert into billing.trial_mark (signal_id, kind, digest, subscription_id, at)
select distinct on (s.signal_id, s.user_id) s.signal_id, 'user',
       sha256(convert_to(s.user_id::text, 'UTF8')), s.id, s.created_at
from billing.subscription s where s.had_trial order by s.signal_id, s.user_id, s.created_at
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute("set local statement_timeout = '60s'")
    _columns()
    _tables()
    for table in INSERT_ONLY:
        op.execute(
            f"create trigger billing_{table}_insert_only before update or delete"
            f" on billing.{table} for each row execute function audit.refuse_change()"
        )
        op.execute(
            f"create trigger billing_{table}_no_truncate before truncate"
            f" on billing.{table} for each statement execute function audit.refuse_change()"
        )
    op.execute(OLD_TRIALS)


def _columns() -> None:
    op.add_column('subscription', sa.Column('cancel_why', sa.Text(), nullable=True, comment='asked; agreed: the payment provider knows; terms: they were withdrawn'), schema='billing')
    op.add_column('subscription', sa.Column('grace_until', sa.DateTime(timezone=True), nullable=True, comment='Access until, exclusive, while the payment provider collects or tries again'), schema='billing')
    op.add_column('subscription', sa.Column('external_id', sa.Text(), nullable=True, comment="The payment provider's id of it"), schema='billing')
    op.add_column('subscription', sa.Column('email_mark', sa.LargeBinary(), nullable=True, comment='HMAC of the normalised e-mail that it was asked for with'), schema='billing')
    op.add_column('subscription', sa.Column('reminders', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='Sent since it is past due'), schema='billing')
    op.add_column('subscription', sa.Column('state_since', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When the state came about'), schema='billing')
    op.add_column('subscription', sa.Column('state_known_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False, comment='When we learnt of it'), schema='billing')
    op.add_column('subscription', sa.Column('state_why', sa.Text(), server_default=sa.text("''"), nullable=False, comment='What brought the state about'), schema='billing')
    op.add_column('subscription', sa.Column('state_by', sa.Uuid(), nullable=True, comment="Whose act it was; null: nobody's"), schema='billing')
    op.create_check_constraint(op.f("subscription_trial_at_most_30_days_check"), "subscription", "state <> 'trialing' or period_end - period_start <= interval '30 days'", schema="billing")
    op.create_check_constraint(op.f("subscription_grace_at_most_3_days_check"), "subscription", "grace_until - period_end <= interval '3 days'", schema="billing")
    op.create_index("subscription_ends", "subscription", ["state", "period_end"], schema="billing")
    op.create_index("subscription_external_id_key", "subscription", ["payment_provider", "external_id"], unique=True, schema="billing", postgresql_where=sa.text("external_id is not null"))


def _tables() -> None:
    op.create_table('subscription_event',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('subscription_id', sa.Uuid(), nullable=False, comment='Whose'),
    sa.Column('happened_at', sa.DateTime(timezone=True), nullable=False, comment='When the state came about'),
    sa.Column('known_at', sa.DateTime(timezone=True), nullable=False, comment='When we learnt of it'),
    sa.Column('from_state', sa.Text(), nullable=True, comment='Null: it was opened'),
    sa.Column('to_state', sa.Text(), nullable=False, comment='See docs/glossary.md'),
    sa.Column('why', sa.Text(), nullable=False, comment='What brought it about'),
    sa.Column('actor_id', sa.Uuid(), nullable=True, comment="Whose act; null: nobody's"),
    sa.ForeignKeyConstraint(['subscription_id'], ['billing.subscription.id'], name=op.f('subscription_event_subscription_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('subscription_event_pkey')),
    schema='billing',
    comment="Every change of a subscription's state; insert-only."
    )
    op.create_index(op.f('subscription_event_subscription_id_idx'), 'subscription_event', ['subscription_id'], unique=False, schema='billing')
    op.create_table('outbox',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion, not of commit'),
    sa.Column('xid', sa.BigInteger(), server_default=sa.text('(pg_current_xact_id()::text)::bigint'), nullable=False, comment='Transaction; with it a cursor misses no row that commits late'),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False, comment='When we knew'),
    sa.Column('user_id', sa.Uuid(), nullable=False, comment='Whom to tell'),
    sa.Column('subscription_id', sa.Uuid(), nullable=False, comment='Of what'),
    sa.Column('kind', sa.Text(), nullable=False, comment='subscription.active, payment.failed, ...'),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='What there is to tell; no secret'),
    sa.ForeignKeyConstraint(['subscription_id'], ['billing.subscription.id'], name=op.f('outbox_subscription_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['user_id'], ['account.user_account.id'], name=op.f('outbox_user_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('outbox_pkey')),
    schema='billing',
    comment='What people and machines are told; insert-only.'
    )
    op.create_index('outbox_order', 'outbox', ['xid', 'id'], unique=False, schema='billing')
    op.create_index(op.f('outbox_subscription_id_idx'), 'outbox', ['subscription_id'], unique=False, schema='billing')
    op.create_index(op.f('outbox_user_id_idx'), 'outbox', ['user_id'], unique=False, schema='billing')
    op.create_table('trial_mark',
    sa.Column('signal_id', sa.BigInteger(), nullable=False, comment='Trial of what'),
    sa.Column('kind', sa.Text(), nullable=False, comment='user, email or card'),
    sa.Column('digest', sa.LargeBinary(), nullable=False, comment='Of account, normalised e-mail or card'),
    sa.Column('subscription_id', sa.Uuid(), nullable=False, comment='The trial'),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False, comment='When it began'),
    sa.CheckConstraint("kind in ('user', 'email', 'card')", name=op.f('trial_mark_kind_known_check')),
    sa.CheckConstraint('octet_length(digest) = 32', name=op.f('trial_mark_digest_is_a_hash_check')),
    sa.ForeignKeyConstraint(['signal_id'], ['registry.signal.id'], name=op.f('trial_mark_signal_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['subscription_id'], ['billing.subscription.id'], name=op.f('trial_mark_subscription_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('signal_id', 'kind', 'digest', name=op.f('trial_mark_pkey')),
    schema='billing',
    comment="Who had a signal's trial, by digests; insert-only."
    )
    op.create_table('payment',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('provider', sa.Text(), nullable=False, comment='manual, stripe'),
    sa.Column('reference', sa.Text(), nullable=False, comment="The provider's id of invoice, refund, dispute"),
    sa.Column('kind', sa.Text(), nullable=False, comment='paid, refund or chargeback'),
    sa.Column('subscription_id', sa.Uuid(), nullable=False, comment='For what'),
    sa.Column('paid_reference', sa.Text(), nullable=True, comment='Of refund and chargeback: which payment they take back'),
    sa.Column('invoice', sa.Text(), nullable=True, comment='Number in the ledger; null: nothing due'),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False, comment='That moved, in cents; credit is not in it'),
    sa.Column('currency', sa.Text(), nullable=False, comment='ISO 4217'),
    sa.Column('period_start', sa.DateTime(timezone=True), nullable=False, comment='Paid from, inclusive'),
    sa.Column('period_end', sa.DateTime(timezone=True), nullable=False, comment='Paid until, exclusive'),
    sa.Column('gave_access', sa.Boolean(), nullable=False, comment='False: the subscription was over, and the payment is to be refunded'),
    sa.Column('happened_at', sa.DateTime(timezone=True), nullable=False, comment='When the money moved'),
    sa.Column('known_at', sa.DateTime(timezone=True), nullable=False, comment='When we learnt of it'),
    sa.CheckConstraint("kind in ('paid', 'refund', 'chargeback')", name=op.f('payment_kind_known_check')),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('payment_not_negative_check')),
    sa.ForeignKeyConstraint(['subscription_id'], ['billing.subscription.id'], name=op.f('payment_subscription_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('payment_pkey')),
    sa.UniqueConstraint('provider', 'reference', name=op.f('payment_provider_reference_key')),
    schema='billing',
    comment='Money that moved, each once; insert-only.'
    )
    op.create_index(op.f('payment_paid_reference_idx'), 'payment', ['paid_reference'], unique=False, schema='billing')
    op.create_index(op.f('payment_subscription_id_idx'), 'payment', ['subscription_id'], unique=False, schema='billing')
    op.create_table('applied_event',
    sa.Column('event_id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Which event'),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False, comment='When'),
    sa.Column('effects', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='What it said, as read anew from the provider'),
    sa.Column('had_effect', sa.Boolean(), nullable=False, comment='False: all of it was known, or too late'),
    sa.ForeignKeyConstraint(['event_id'], ['billing.payment_event.id'], name=op.f('applied_event_event_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('event_id', name=op.f('applied_event_pkey')),
    schema='billing',
    comment='Events of the inbox that had their turn; insert-only.'
    )
    op.create_table('reconciliation',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('provider', sa.Text(), nullable=False, comment='stripe'),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False, comment='Objects made from then on were compared'),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False, comment='When it was'),
    sa.Column('compared', sa.Integer(), nullable=False, comment='Objects'),
    sa.Column('lost', sa.Integer(), nullable=False, comment='Objects that we had not heard of, and applied'),
    sa.Column('pushed', sa.Integer(), nullable=False, comment='Objects that had not heard of us, and were told'),
    sa.PrimaryKeyConstraint('id', name=op.f('reconciliation_pkey')),
    schema='billing',
    comment='Comparisons with a payment provider; insert-only.'
    )
    op.create_table('proposal',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False, comment='Order of insertion'),
    sa.Column('signal_id', sa.BigInteger(), nullable=False, comment='To whose subscribers'),
    sa.Column('price_id', sa.BigInteger(), nullable=False, comment='New terms'),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False, comment='When subscribers were told'),
    sa.Column('effective_from', sa.DateTime(timezone=True), nullable=False, comment='Periods that begin from then on; 30 days or more of notice'),
    sa.Column('ends_old_terms', sa.Boolean(), nullable=False, comment='Who does not consent ends with the period then; false: keeps the old terms'),
    sa.CheckConstraint("effective_from - proposed_at >= interval '30 days'", name=op.f('proposal_notice_30_days_check')),
    sa.ForeignKeyConstraint(['price_id'], ['billing.price.id'], name=op.f('proposal_price_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['signal_id'], ['registry.signal.id'], name=op.f('proposal_signal_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('proposal_pkey')),
    schema='billing',
    comment='A new price for old subscribers; insert-only.'
    )
    op.create_index(op.f('proposal_signal_id_idx'), 'proposal', ['signal_id'], unique=False, schema='billing')
    op.create_table('consent',
    sa.Column('subscription_id', sa.Uuid(), nullable=False, comment='Whose'),
    sa.Column('proposal_id', sa.BigInteger(), nullable=False, comment='To what'),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False, comment='When they said yes'),
    sa.ForeignKeyConstraint(['proposal_id'], ['billing.proposal.id'], name=op.f('consent_proposal_id_fkey'), ondelete='restrict'),
    sa.ForeignKeyConstraint(['subscription_id'], ['billing.subscription.id'], name=op.f('consent_subscription_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('subscription_id', 'proposal_id', name=op.f('consent_pkey')),
    schema='billing',
    comment="A subscriber's yes to a proposal; insert-only."
    )
