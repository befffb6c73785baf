"""The platform's nouns as tables; `CONVENTIONS.md` says how they are written."""

from sql.models.account import ApiKey, PushSigningKey, RefreshToken, UserAccount
from sql.models.audit import AuditEvent
from sql.models.base import Base
from sql.models.billing import PaymentEvent, Price, Subscription
from sql.models.forecast import Forecast, Opening, ReplayAudit, SlotRecord
from sql.models.market import (
    Bar,
    IngestBatch,
    Instrument,
    InstrumentAlias,
    RawAnswer,
    Reject,
)
from sql.models.registry import Signal, SignalEvent, Version, VersionEvent
from sql.models.reproduction import Reproduction
from sql.models.score import Score
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

__all__ = [
    "Advisory",
    "AdvisoryAcceptance",
    "AdvisoryImport",
    "Anchor",
    "ApiKey",
    "AuditEvent",
    "Bar",
    "Base",
    "Checkpoint",
    "Cosignature",
    "Forecast",
    "ImageFinding",
    "IngestBatch",
    "Instrument",
    "InstrumentAlias",
    "Leaf",
    "Opening",
    "PackageRule",
    "PaymentEvent",
    "Price",
    "PushSigningKey",
    "Quorum",
    "RawAnswer",
    "RefreshToken",
    "Reject",
    "ReplayAudit",
    "Reproduction",
    "Score",
    "Signal",
    "SignalEvent",
    "SigningKey",
    "SlotRecord",
    "Subscription",
    "Tile",
    "UserAccount",
    "Version",
    "VersionEvent",
]
