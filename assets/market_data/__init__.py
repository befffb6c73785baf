"""Point-in-time bars: where they come from, what is refused, what a model is given."""

from assets.market_data.batch import AnswerNotKeptError, IngestSummary
from assets.market_data.checks import CheckResult, gaps, stale_feed
from assets.market_data.digest import arrow_ipc, arrow_ipc_of_bars, input_digest
from assets.market_data.file import FileSource
from assets.market_data.history import History, OutsideHistoryError, read_history
from assets.market_data.layout import LayoutError
from assets.market_data.patience import Patience
from assets.market_data.recorded import RecordedSource
from assets.market_data.sample import SampleSource
from assets.market_data.schema import (
    EmptyFrameError,
    FrameError,
    MalformedFrameError,
    Reject,
    Validated,
    validate,
)
from assets.market_data.source import (
    Delivery,
    InstrumentDeclaration,
    PermanentSourceError,
    Source,
    SourceError,
    TransientSourceError,
)
from assets.market_data.store import FEED_DELAY, ingest, ingest_again
from assets.market_data.window import SlotPin, UnknownSymbolError, pin, read_bars

__all__ = [
    "FEED_DELAY",
    "AnswerNotKeptError",
    "CheckResult",
    "Delivery",
    "EmptyFrameError",
    "FileSource",
    "FrameError",
    "History",
    "IngestSummary",
    "InstrumentDeclaration",
    "LayoutError",
    "MalformedFrameError",
    "OutsideHistoryError",
    "Patience",
    "PermanentSourceError",
    "RecordedSource",
    "Reject",
    "SampleSource",
    "SlotPin",
    "Source",
    "SourceError",
    "TransientSourceError",
    "UnknownSymbolError",
    "Validated",
    "arrow_ipc",
    "arrow_ipc_of_bars",
    "gaps",
    "ingest",
    "ingest_again",
    "input_digest",
    "pin",
    "read_bars",
    "read_history",
    "stale_feed",
    "validate",
]
