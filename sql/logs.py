"""What a process writes for people and machines: lines of text, or a JSON object each.

Every process begins with `begin`. Facts that a line belongs to (a request, a slot, a version) are
bound for as long as they hold, not written into each message. Nothing secret leaves: whatever has
the form of a secret of ours is masked, wherever it stands, in the text of exceptions too.
This module needs no database, and the signer has it as well.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

import msgspec

from sql.configuration import read_settings

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
MASK = "***"
# Libraries that say at INFO what is said once already.
QUIET = ("httpx", "httpcore", "alembic")

_SECRETS = re.compile(
    r"(?P<url>://[^\s/:@]*:)[^\s/@]+(?=@)"
    r"|(?P<kept>\bBearer\s+|\bBasic\s+|"
    r"\b(?:password|passwd|secret|token|api_key|apikey|authorization)[\"']?\s*[=:]\s*[\"']?)"
    r"(?!(?:Bearer|Basic)\b)[^\s\"'@,;&)}]+"
    r"|\b(?:sk|rk|whsec|pk)_[A-Za-z0-9_-]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.IGNORECASE | re.DOTALL,
)
_bound: ContextVar[Mapping[str, str] | None] = ContextVar("bound", default=None)
_more: list[Callable[[], Mapping[str, str]]] = []


class LogSettings(msgspec.Struct, frozen=True):
    """Read from the environment; see docs/operations/configuration.md."""

    log_format: Literal["json", "text"] = "text"


def begin(process: str, *, level: int = logging.INFO) -> None:
    """Have this process write to its standard error, in the form that is set."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def formatter(process: str) -> logging.Formatter:
    """The form that is set."""
    return Json(process) if is_json() else Text(TEXT)


def is_json() -> bool:
    """Whether lines are JSON objects."""
    return read_settings(LogSettings).log_format == "json"


@contextmanager
def bound(**facts: str) -> Iterator[None]:
    """Facts of every line written meanwhile: request_id, run_id, slot, version, signal."""
    token = _bound.set({**(_bound.get() or {}), **facts})
    try:
        yield
    finally:
        _bound.reset(token)


def also(facts: Callable[[], Mapping[str, str]]) -> None:
    """Facts that are asked for at each line, such as the trace that it is part of."""
    _more.append(facts)


def masked(text: str) -> str:
    """The text without what has the form of a secret.

    >>> masked("postgresql://api:hunter2@db/x; Authorization: Bearer abc.def")
    'postgresql://api:***@db/x; Authorization: Bearer ***'
    """
    return _SECRETS.sub(lambda found: (found["url"] or found["kept"] or "") + MASK, text)


class Text(logging.Formatter):
    """A line, and an exception below it."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class Json(logging.Formatter):
    """An object: time, level, logger, message, process, what is bound, exception."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": self._process,
            **_of_dagster(record),
            **(_bound.get() or {}),
        }
        for facts in _more:
            line |= facts()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        elif record.stack_info:
            line["exception"] = record.stack_info
        return json.dumps(
            {name: masked(str(value)) for name, value in line.items()}, ensure_ascii=False
        )


def _of_dagster(record: logging.LogRecord) -> dict[str, str]:
    """What Dagster knows of the run and step that a message came from."""
    known = getattr(record, "dagster_meta", None)
    if not isinstance(known, Mapping):
        return {}
    return {
        name: str(known[key])
        for name, key in (("run_id", "run_id"), ("job", "job_name"), ("step", "step_key"))
        if known.get(key)
    }
