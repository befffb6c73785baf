"""Keys whose signature of a push counts."""

from alembic import op
import sqlalchemy as sa

revision = '0004'
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table('signing_key',
    sa.Column('id', sa.Uuid(), nullable=False, comment='Random'),
    sa.Column('user_id', sa.Uuid(), nullable=False, comment='Owner'),
    sa.Column('name', sa.Text(), nullable=False, comment='What the owner calls it'),
    sa.Column('public_key', sa.Text(), nullable=False, comment='OpenSSH form: type and base64, no comment'),
    sa.Column('fingerprint', sa.Text(), nullable=False, comment='SHA256:..., as ssh-keygen -l shows it'),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False, comment='When it was registered'),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True, comment='Refused from then on'),
    sa.CheckConstraint("fingerprint ~ '^SHA256:[A-Za-z0-9+/]{43}$'", name=op.f('signing_key_fingerprint_form_check')),
    sa.ForeignKeyConstraint(['user_id'], ['account.user_account.id'], name=op.f('signing_key_user_id_fkey'), ondelete='restrict'),
    sa.PrimaryKeyConstraint('id', name=op.f('signing_key_pkey')),
    schema='account',
    comment='SSH keys whose signature of a push counts.'
    )
    op.create_index('signing_key_one_valid', 'signing_key', ['user_id', 'fingerprint'], unique=True, schema='account', postgresql_where=sa.text('revoked_at is null'))
