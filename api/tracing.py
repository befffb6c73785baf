"""A request as a span: its route and not its address, its status, its id."""

from collections.abc import Iterator
from contextlib import contextmanager

from litestar.types import HTTPScope, Message, Send

from api.response_headers import request_id
from sql import traces


@contextmanager
def traced(scope: HTTPScope, send: Send) -> Iterator[Send]:
    """Who sends the answer; a stream's span lasts as long as the stream."""
    method = str(scope["method"])
    with traces.span(f"{method} request", method=method, request_id=request_id(scope)) as span:

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                facts: dict[str, traces.Value] = {
                    "http.route": str(scope.get("path_template", "")),
                    "http.response.status_code": int(message["status"]),
                }
                span.set(**facts)
            await send(message)

        yield note
