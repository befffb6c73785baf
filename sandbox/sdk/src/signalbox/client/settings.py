"""Whom a client asks, and as whom."""

import os
import warnings
from dataclasses import dataclass, field

import httpx

from signalbox.client.calls import Call
from signalbox.client.retry import Retry

URL, KEY = "SIGNALBOX_URL", "SIGNALBOX_API_KEY"
BY_DEFAULT = "http://127.0.0.1:8700"
# The stream says something each 15 s.
SILENCE_S = 45.0


@dataclass(frozen=True)
class Settings:
    """Of one client; the key is in no text of it.

    Attributes:
        timeout_s: to connect, and between two pieces of an answer.
    """

    url: str
    api_key: str | None = field(repr=False)
    timeout_s: float
    retry: Retry

    @classmethod
    def read(
        cls, url: str | None, api_key: str | None, timeout_s: float, retry: Retry
    ) -> "Settings":
        """What is given, else what the environment says.

        Raises:
            ValueError: the address is none, or the key could not stand in a header.
        """
        url = (url or os.environ.get(URL) or BY_DEFAULT).rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is no address of a platform: write it as https://...")
        key = api_key if api_key is not None else os.environ.get(KEY)
        if key is not None and not (key.isascii() and key.isprintable() and " " not in key and key):
            raise ValueError("the API key has characters that none has; copy it again")
        return cls(url, key, timeout_s, retry)

    @property
    def headers(self) -> dict[str, str]:
        key = {} if self.api_key is None else {"Authorization": f"Bearer {self.api_key}"}
        return {"User-Agent": "signalbox-python", **key}

    @property
    def timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self.timeout_s)

    @property
    def stream_timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self.timeout_s, read=max(SILENCE_S, self.timeout_s))


def headers_of(call: Call) -> dict[str, str]:
    key = call.idempotency_key
    return {} if key is None else {"Idempotency-Key": key}


def heed(answer: httpx.Response) -> None:
    """Warn where the platform says that a route will go away."""
    if "deprecation" in answer.headers:
        until = answer.headers.get("sunset", "a day that is not said")
        path = answer.url.path
        warnings.warn(f"{path} answers until {until} only", DeprecationWarning, stacklevel=4)
