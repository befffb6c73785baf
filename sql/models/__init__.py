"""The platform's nouns as tables; `CONVENTIONS.md` says how they are written."""

from sql.models.access import DataSourceKey, RateLimit
from sql.models.account import ApiKey, PushSigningKey, RefreshToken, TermsAcceptance, UserAccount
from sql.models.audit import AuditEvent
from sql.models.base import Base
from sql.models.billing import PaymentEvent, Price, Subscription
from sql.models.forecast import Forecast, Opening, ReplayAudit, SlotPin, SlotRecord
from sql.models.idempotency import IdempotentAnswer
from sql.models.invoice import (
    Card,
    Invoice,
    InvoiceCounter,
    InvoiceLine,
    Payout,
    Rate,
    Reversal,
)
from sql.models.ledger import LedgerAccount, LedgerEntry, LedgerLine, LedgerSeal
from sql.models.mail import Mail, MailToken
from sql.models.market import (
    Bar,
    IngestBatch,
    Instrument,
    InstrumentAlias,
    RawAnswer,
    Reject,
)
from sql.models.metric import MetricDay
from sql.models.payments import (
    AppliedEvent,
    Outbox,
    Payment,
    Reconciliation,
    SubscriptionEvent,
    TrialMark,
)
from sql.models.performance import Definition, Performance, RuleReturn
from sql.models.proposal import Consent, Proposal
from sql.models.registry import Signal, SignalEvent, Version, VersionEvent
from sql.models.reproduction import Reproduction
from sql.models.score import Score
from sql.models.sign_in import LoginThrottle, RecoveryCode, Session, Totp
from sql.models.supply import (
    Advisory,
    AdvisoryAcceptance,
    AdvisoryImport,
    ImageFinding,
    PackageRule,
    SigningKey,
)
from sql.models.transparency import (
    Anchor,
    Checkpoint,
    Cosignature,
    Leaf,
    Quorum,
    Tile,
)
from sql.models.webhook import Webhook, WebhookCursor, WebhookDelivery

__all__ = [
    "Advisory",
    "AdvisoryAcceptance",
    "AdvisoryImport",
    "Anchor",
    "ApiKey",
    "AppliedEvent",
    "AuditEvent",
    "Bar",
    "Base",
    "Card",
    "Checkpoint",
    "Consent",
    "Cosignature",
    "DataSourceKey",
    "Definition",
    "Forecast",
    "IdempotentAnswer",
    "ImageFinding",
    "IngestBatch",
    "Instrument",
    "InstrumentAlias",
    "Invoice",
    "InvoiceCounter",
    "InvoiceLine",
    "Leaf",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerLine",
    "LedgerSeal",
    "LoginThrottle",
    "Mail",
    "MailToken",
    "MetricDay",
    "Opening",
    "Outbox",
    "PackageRule",
    "Payment",
    "PaymentEvent",
    "Payout",
    "Performance",
    "Price",
    "Proposal",
    "PushSigningKey",
    "Quorum",
    "Rate",
    "RateLimit",
    "RawAnswer",
    "Reconciliation",
    "RecoveryCode",
    "RefreshToken",
    "Reject",
    "ReplayAudit",
    "Reproduction",
    "Reversal",
    "RuleReturn",
    "Score",
    "Session",
    "Signal",
    "SignalEvent",
    "SigningKey",
    "SlotPin",
    "SlotRecord",
    "Subscription",
    "SubscriptionEvent",
    "TermsAcceptance",
    "Tile",
    "Totp",
    "TrialMark",
    "UserAccount",
    "Version",
    "VersionEvent",
    "Webhook",
    "WebhookCursor",
    "WebhookDelivery",
]
