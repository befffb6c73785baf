"""Post one message to one target, and say what came of it."""

import asyncio
import logging
import ssl
import time
from dataclasses import dataclass
from functools import cache

import httpcore

from api.webhooks.targets import BadTargetError, CheckedBackend, Targets

logger = logging.getLogger(__name__)

ANSWER_BYTES = 4096
ANSWER_SHOWN = 200
ERROR_CHARACTERS = 300
OK = range(200, 300)
REDIRECTS = range(300, 400)


@dataclass(frozen=True)
class Patience:
    """Seconds: until a connection stands, and until the whole is over."""

    connect_s: float = 3.0
    whole_s: float = 10.0


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt.

    Attributes:
        status: of HTTP; None: there was no answer.
        error: why it does not count as delivered; None: it does.
    """

    status: int | None
    latency_ms: int
    error: str | None

    @property
    def is_delivered(self) -> bool:
        return self.error is None


@cache
def _tls() -> ssl.SSLContext:
    # It reads every certificate of the machine's.
    return ssl.create_default_context()


class Sender:
    """Sends to targets that were judged; each message over a connection of its own."""

    def __init__(self, targets: Targets, patience: Patience | None = None) -> None:
        self.targets = targets
        self._patience = patience or Patience()
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=None,
            max_keepalive_connections=0,
            network_backend=CheckedBackend(targets),
        )

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """Redirects are not followed; of the answer at most 4 kB are read."""
        begun = time.monotonic()
        status: int | None = None
        try:
            target = self.targets.read(url)
            async with asyncio.timeout(self._patience.whole_s):
                status, said = await self._exchange(str(target), headers, body)
            error = _error(status, said)
        except BadTargetError as refused:
            error = f"not sent: {refused}"
        except TimeoutError:
            error = f"no answer within {self._patience.whole_s:g} s"
        except httpcore.TimeoutException:
            error = f"no connection within {self._patience.connect_s:g} s"
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as failed:
            error = f"{type(failed).__name__}: {failed}"
        except Exception as failed:
            # Whatever a stranger's server brings about is a failure of its delivery.
            logger.exception("webhook: unexpected answer")
            error = type(failed).__name__
        latency_ms = round((time.monotonic() - begun) * 1000)
        return Outcome(status, latency_ms, error and _printable(error)[:ERROR_CHARACTERS])

    async def _exchange(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        said = b""
        waits = {"connect": self._patience.connect_s}
        async with self._pool.stream(
            "POST",
            url,
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            content=body,
            extensions={"timeout": waits},
        ) as response:
            async for part in response.aiter_stream():
                said += part[: ANSWER_BYTES - len(said)]
                if len(said) >= ANSWER_BYTES:
                    break
            return response.status, said

    async def close(self) -> None:
        await self._pool.aclose()


def _error(status: int, said: bytes) -> str | None:
    if status in OK:
        return None
    if status in REDIRECTS:
        return f"{status}: redirects are not followed; name the address itself"
    return f"{status}: {said[:ANSWER_SHOWN].decode(errors='replace')}"


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)
