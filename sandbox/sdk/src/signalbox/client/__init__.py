"""The API of a platform, for programs: `Client`, and `AsyncClient` with the same methods.

Theory of operation: each method makes a `Call` (`calls.py`), which knows nothing of the
network; the two clients send calls, and judge failures by one policy (`retry.py`). Only
what may be sent twice is sent again: reads, and creates with an Idempotency-Key, which
the client makes. Frames are polars (`frames.py`), instants `Datetime("us", "UTC")`.
"""

from signalbox.client.asynchronous import AsyncClient
from signalbox.client.errors import ApiError, ClientError, UnreachableError
from signalbox.client.events import Event
from signalbox.client.synchronous import Client

__all__ = ["ApiError", "AsyncClient", "Client", "ClientError", "Event", "UnreachableError"]
