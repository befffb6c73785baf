"""When a request is sent again, and how long is waited before."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True)
class Retry:
    """Exponential backoff with full jitter; what the server says goes before.

    Attributes:
        attempts: after the first.
        first_wait_s: longest wait before the second attempt; doubled each time.
        longest_wait_s: where the server asks for more, its refusal is raised instead.
    """

    attempts: int = 4
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0

    def wait_s(self, attempt: int, answer: httpx.Response | None) -> float | None:
        """Seconds to wait after attempt 0, 1, ... failed; None: give up.

        Args:
            attempt: how many were made before this one.
            answer: None where there was none.
        """
        if attempt >= self.attempts or (answer is not None and not is_busy(answer)):
            return None
        asked = None if answer is None else retry_after_s(answer)
        if asked is not None:
            return asked if asked <= self.longest_wait_s else None
        return self.backoff_s(attempt)

    def backoff_s(self, attempt: int) -> float:
        """Any wait up to `first_wait_s` doubled for each attempt, and up to `longest_wait_s`."""
        most: float = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(attempt, 30))
        return random.uniform(0, most)  # noqa: S311 - spreads clients, guards nothing


def is_busy(answer: httpx.Response) -> bool:
    """Did the platform not do it, and will it do it later?"""
    if answer.status_code in BUSY:
        return True
    # A create with this Idempotency-Key is being answered: it says when to ask again.
    return answer.status_code == HTTPStatus.CONFLICT and "retry-after" in answer.headers


def retry_after_s(answer: httpx.Response) -> float | None:
    """Seconds of the header Retry-After, which is a number or a date (RFC 9110, 10.2.3)."""
    written = answer.headers.get("retry-after", "").strip()
    if written.isascii() and written.isdigit():
        return float(written)
    try:
        until = parsedate_to_datetime(written)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)
