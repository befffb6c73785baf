"""Letters, sessions, second factors, throttled logins, terms of service."""

from alembic import op
import sqlalchemy as sa

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

# Families from before have no row of their own yet: they go on, and can be listed and ended.
FAMILIES = """
insert into account.session
  (id, user_id, created_at, last_used_at, expires_at, ended_at, user_agent, network, has_totp)
select family_id, user_id, min(issued_at), max(issued_at), max(expires_at), max(revoked_at),
       '', '', false
from account.refresh_token group by family_id, user_id
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '3s'")
    op.execute("set local statement_timeout = '60s'")
    _user_account()
    _mail()
    _sign_in()
    op.execute(FAMILIES)
    op.execute(
        "create trigger account_terms_acceptance_insert_only before update or delete"
        " on account.terms_acceptance for each row execute function audit.refuse_change()"
    )
    op.execute(
        "create trigger account_terms_acceptance_no_truncate before truncate"
        " on account.terms_acceptance for each statement execute function audit.refuse_change()"
    )


def _user_of(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["account.user_account.id"], name=op.f(f"{table}_user_id_fkey"), ondelete="restrict"
    )


def _user_account() -> None:
    for name, comment in (
        ("email_confirmed_at", "When a token sent to the address came back"),
        ("deleted_at", "When the person left; the handle stays used"),
    ):
        op.add_column(
            "user_account", sa.Column(name, INSTANT, nullable=True, comment=comment), schema="account"
        )
    op.create_table(
        "terms_acceptance",
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Who"),
        sa.Column("version", sa.Text(), nullable=False, comment="SIGNALBOX_TERMS_VERSION then"),
        sa.Column("accepted_at", INSTANT, nullable=False, comment="When"),
        _user_of("terms_acceptance"),
        sa.PrimaryKeyConstraint("user_id", "version", name=op.f("terms_acceptance_pkey")),
        schema="account",
        comment="Who accepted which terms of service; insert-only.",
    )


def _mail() -> None:
    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False, comment="Random; in the Message-ID"),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Whose"),
        sa.Column("kind", sa.Text(), nullable=False, comment="Such as confirm_email; see docs/operations"),
        sa.Column("address", sa.Text(), nullable=False, comment="Where to; empty once the account is deleted"),
        sa.Column("subject", sa.Text(), nullable=False, comment="One line"),
        sa.Column("text", sa.Text(), nullable=False, comment="Plain text, may hold a token; blank once delivered"),
        sa.Column("created_at", INSTANT, nullable=False, comment="When it was put, by the platform's clock"),
        sa.Column("sent_at", INSTANT, nullable=True, comment="When the mail server took it"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="Deliveries that failed"),
        sa.Column("last_error", sa.Text(), nullable=True, comment="Why the last one failed"),
        sa.Column("next_attempt_at", INSTANT, nullable=True, comment="Not before; null: given up"),
        sa.CheckConstraint("attempts >= 0", name=op.f("mail_attempts_not_negative_check")),
        _user_of("mail"),
        sa.PrimaryKeyConstraint("id", name=op.f("mail_pkey")),
        schema="account",
        comment="Outbox of letters, put in the transaction of the act.",
    )
    op.create_index(op.f("mail_user_id_idx"), "mail", ["user_id"], schema="account")
    op.create_index(
        "mail_due", "mail", ["next_attempt_at"], schema="account", postgresql_where=sa.text("sent_at is null")
    )
    op.create_table(
        "mail_token",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False, comment="Of the random token"),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Whose"),
        sa.Column("purpose", sa.Text(), nullable=False, comment="confirm_email, reset_password or change_email"),
        sa.Column("email", sa.Text(), nullable=False, comment="Address that it was sent to, which it proves"),
        sa.Column("created_at", INSTANT, nullable=False, comment="When it was made"),
        sa.Column("expires_at", INSTANT, nullable=False, comment="Refused from then on"),
        sa.Column("used_at", INSTANT, nullable=True, comment="When it was used, or taken back"),
        sa.CheckConstraint(
            "purpose in ('confirm_email', 'reset_password', 'change_email')",
            name=op.f("mail_token_purpose_known_check"),
        ),
        _user_of("mail_token"),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("mail_token_pkey")),
        schema="account",
        comment="Single-use tokens of letters, by their sha256 only.",
    )
    op.create_index(op.f("mail_token_user_id_idx"), "mail_token", ["user_id"], schema="account")


def _sign_in() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False, comment="family_id of its tokens"),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Whose"),
        sa.Column("created_at", INSTANT, nullable=False, comment="When the person signed in"),
        sa.Column("last_used_at", INSTANT, nullable=False, comment="Last login or refresh"),
        sa.Column("expires_at", INSTANT, nullable=False, comment="When its newest refresh token ends"),
        sa.Column("ended_at", INSTANT, nullable=True, comment="Its tokens are refused from then on"),
        sa.Column("user_agent", sa.Text(), nullable=False, comment="As sent, cut; for people"),
        sa.Column("network", sa.Text(), nullable=False, comment="Address shortened to /24, or /56 of IPv6"),
        sa.Column("has_totp", sa.Boolean(), nullable=False, comment="Signed in with a second factor"),
        _user_of("session"),
        sa.PrimaryKeyConstraint("id", name=op.f("session_pkey")),
        schema="account",
        comment="One login: a family of refresh tokens and its end.",
    )
    op.create_index(op.f("session_user_id_idx"), "session", ["user_id"], schema="account")
    op.create_table(
        "totp",
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Whose"),
        sa.Column(
            "sealed_secret",
            sa.LargeBinary(),
            nullable=False,
            comment="AES-256-GCM: nonce, 20 bytes of secret, tag; the row is its AAD",
        ),
        sa.Column("created_at", INSTANT, nullable=False, comment="When it was shown"),
        sa.Column("confirmed_at", INSTANT, nullable=True, comment="Asked for from then on"),
        sa.Column(
            "last_step",
            sa.BigInteger(),
            nullable=False,
            comment="Newest time step whose code was taken; older ones are refused",
        ),
        sa.CheckConstraint("octet_length(sealed_secret) = 48", name=op.f("totp_nonce_secret_and_tag_check")),
        _user_of("totp"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("totp_pkey")),
        schema="account",
        comment="Second factors by RFC 6238.",
    )
    op.create_table(
        "recovery_code",
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="Whose"),
        sa.Column("code_sha256", sa.LargeBinary(), nullable=False, comment="Of the random code"),
        sa.Column("used_at", INSTANT, nullable=True, comment="Refused from then on"),
        _user_of("recovery_code"),
        sa.PrimaryKeyConstraint("user_id", "code_sha256", name=op.f("recovery_code_pkey")),
        schema="account",
        comment="Instead of a lost second factor, each once.",
    )
    op.create_table(
        "login_throttle",
        sa.Column("account", sa.LargeBinary(), nullable=False, comment="HMAC of the address tried, known or not"),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Network or device; empty: all that are not known to the account",
        ),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="Counted before the password is looked at"),
        sa.Column("last_at", INSTANT, nullable=False, comment="The newest attempt that was let through"),
        sa.Column("blocked_until", INSTANT, nullable=True, comment="Refused before; null: by none"),
        sa.PrimaryKeyConstraint("account", "source", name=op.f("login_throttle_pkey")),
        schema="account",
        comment="Attempts to sign in, per account and where from.",
    )
