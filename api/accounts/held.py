"""What is held about a person, table by table: one query each, run as that person.

A new table that names people needs a line here or in `NOT_PERSONAL`; a test looks.
Secrets, and digests of secrets, are left out: they are nobody's to read. So are the
words of letters, which are in the person's mailbox: while they wait there may be a
token in them that the person's session must not see.
"""

from typing import LiteralString

SECTIONS: dict[str, LiteralString] = {
    "account.user_account": "select id, handle, email, role, created_at, email_confirmed_at"
    " from account.user_account where id = %(user_id)s",
    "account.terms_acceptance": "select version, accepted_at from account.terms_acceptance"
    " where user_id = %(user_id)s order by accepted_at",
    "account.session": "select id, created_at, last_used_at, expires_at, ended_at, user_agent,"
    " network, has_totp from account.session where user_id = %(user_id)s order by created_at",
    "account.totp": "select created_at, confirmed_at from account.totp where user_id = %(user_id)s",
    "account.recovery_code": "select used_at from account.recovery_code"
    " where user_id = %(user_id)s order by used_at",
    "account.mail": "select id, kind, address, subject, created_at, sent_at, attempts, last_error"
    " from account.mail where user_id = %(user_id)s order by created_at",
    "account.mail_token": "select purpose, email, created_at, expires_at, used_at"
    " from account.mail_token where user_id = %(user_id)s order by created_at",
    "account.api_key": "select id, name, scopes, created_at, expires_at, revoked_at, last_used_at"
    " from account.api_key where user_id = %(user_id)s order by created_at",
    "account.signing_key": "select id, name, public_key, fingerprint, created_at, revoked_at"
    " from account.signing_key where user_id = %(user_id)s order by created_at",
    "registry.signal": "select name, title, description, visibility, created_at"
    " from registry.signal where provider_id = %(user_id)s order by created_at",
    "registry.version": "select g.name, v.version, v.state, v.reserved_at, v.published_at,"
    " v.commit_sha from registry.version v join registry.signal g on g.id = v.signal_id"
    " where g.provider_id = %(user_id)s order by v.reserved_at",
    "billing.subscription": "select s.id, p.handle || '/' || g.name as signal, s.state,"
    " s.payment_provider, o.amount_minor, o.currency, s.created_at, s.period_start, s.period_end,"
    " s.had_trial, s.cancel_at_period_end from billing.subscription s"
    " join registry.signal g on g.id = s.signal_id"
    " join account.user_account p on p.id = g.provider_id"
    " join billing.price o on o.id = s.price_id"
    " where s.user_id = %(user_id)s order by s.created_at",
    "billing.outbox": "select at, kind, detail from billing.outbox"
    " where user_id = %(user_id)s order by id",
    "ledger.invoice": "select number, period_start, period_end, amount_minor, credit_minor,"
    " currency, payment_provider, paid_at from ledger.invoice"
    " where user_id = %(user_id)s order by paid_at",
    "ledger.payout": "select month, currency, balance_minor, amount_minor, carried, settled_at"
    " from ledger.payout where provider_id = %(user_id)s order by month, currency",
    "account.data_source_key": "select id, name, source, shown, created_at, revoked_at,"
    " last_used_at from account.data_source_key where user_id = %(user_id)s order by created_at",
    "account.webhook": "select id, url, events, description, created_at, disabled_at, disabled_why,"
    " failing_since from account.webhook where user_id = %(user_id)s order by created_at",
    "account.webhook_delivery": "select id, webhook_id, type, created_at, state, attempts,"
    " last_attempt_at, last_status, last_latency_ms, last_error from account.webhook_delivery"
    " where user_id = %(user_id)s order by seq",
    "audit.event": "select at, action, subject, detail from audit.acts_of_caller()",
}

NOT_PERSONAL: dict[str, str] = {
    "account.refresh_token": "digests only; the sessions they belong to are listed",
    "account.idempotent_answer": "answers that were given already, sealed, for a day",
    "ledger.line": "the books of invoices and payouts, which are listed",
    "ledger.card": "digests of cards only, which nobody can read",
    "registry.version_event": "public: GET /v1/signals/{provider}/{name}/events",
    "registry.signal_event": "public: who published what is part of the track record",
}

OPEN_SUBSCRIPTION: LiteralString = """
select exists (select from billing.subscription
  where user_id = %(user_id)s and state not in ('canceled', 'expired')
    and (period_end is null or period_end > %(now)s or state = 'past_due'))
"""
UNRETIRED_VERSION: LiteralString = """
select exists (select from registry.version v join registry.signal g on g.id = v.signal_id
  where g.provider_id = %(user_id)s and v.state in ('building', 'live', 'offline'))
"""

# What must come to its end before a person leaves, and how; a query is true while it has not.
OBSTACLES: tuple[tuple[LiteralString, str], ...] = (
    (OPEN_SUBSCRIPTION, "end your subscriptions by POST /v1/subscriptions/{id}/cancel."),
    (
        UNRETIRED_VERSION,
        "retire your versions by POST /v1/signals/{provider}/{name}/versions/{version}/retire.",
    ),
    (
        "select exists (select from ledger.own_balances() where balance_minor <> 0)",
        "wait until your last month is settled: GET /v1/provider/summary shows what is open.",
    ),
)
