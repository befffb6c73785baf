"""`AsyncClient`: the same as `Client`, for asyncio."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import polars as pl

from signalbox.client import calls
from signalbox.client.calls import Call
from signalbox.client.errors import UnreachableError, document, refusal
from signalbox.client.events import Event, EventReader
from signalbox.client.frames import BARS, FORECASTS, frame
from signalbox.client.retry import Retry, is_busy, retry_after_s
from signalbox.client.settings import Settings, headers_of, heed

JsonObject = dict[str, Any]


class AsyncClient:
    """A platform's API, as `Client` has it; methods are awaited, lists iterated by `async for`.

    Example:
        >>> AsyncClient("http://127.0.0.1:8700")
        AsyncClient('http://127.0.0.1:8700')
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout_s: float = 30.0,
        retry: Retry | None = None,
    ) -> None:
        self._settings = Settings.read(url, api_key, timeout_s, retry or Retry())
        self._http = httpx.AsyncClient(
            base_url=self._settings.url,
            headers=self._settings.headers,
            timeout=self._settings.timeout,
        )

    def __repr__(self) -> str:
        return f"AsyncClient({self._settings.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    def signals(self, **filters: Any) -> AsyncIterator[JsonObject]:
        """Signals of the catalogue; `filters` as GET /v1/signals has them, `sort` too."""
        return self._items(calls.signals(filters))

    def search(self, q: str, **filters: Any) -> AsyncIterator[JsonObject]:
        """Signals with all these words; `filters` as in `signals`."""
        return self.signals(q=q, **filters)

    async def signal(self, name: str) -> JsonObject:
        """One signal, with its headline and its offer."""
        return await self._document(calls.signal(name))

    async def compare(self, *names: str) -> JsonObject:
        """Two to five signals side by side, with their correlations."""
        return await self._document(calls.compare(names))

    async def marginal(self, name: str, held: Sequence[str] | None = None) -> JsonObject:
        """What a signal would add to `held`, or to what you subscribe to."""
        return await self._document(calls.marginal(name, held))

    async def forecasts(
        self,
        name: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        symbol: str | None = None,
        horizon: int | None = None,
        provenance: Sequence[str] | None = None,
        version: str | None = None,
    ) -> pl.DataFrame:
        """All forecasts with start <= as_of < end, newest first; `forecast_pages` in one frame."""
        call = calls.forecasts(name, start, end, symbol, horizon, provenance, version)
        return frame([item async for item in self._items(call)], FORECASTS)

    async def forecast_pages(
        self, name: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> AsyncIterator[pl.DataFrame]:
        """The same in frames of up to a thousand rows, for what does not fit into memory."""
        async for page in self._pages(calls.forecasts(name, start, end, None, None, None, None)):
            yield frame(page["items"], FORECASTS)

    async def latest(self, name: str | None = None) -> pl.DataFrame:
        """The newest forecasts of a signal, or of everything you subscribe to."""
        return frame((await self._document(calls.latest(name)))["items"], FORECASTS)

    async def bars(
        self, symbol: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> pl.DataFrame:
        """Hours with start <= ts_open < end, oldest first, as known best now."""
        return frame([bar async for bar in self._items(calls.bars(symbol, start, end))], BARS)

    async def performance(
        self, name: str, window: str = "30d", version: str | None = None
    ) -> JsonObject:
        """Scores over 30d, 90d or all, of a signal or one of its versions."""
        return await self._document(calls.performance(name, window, version))

    async def track_record(self, name: str) -> JsonObject:
        """Every slot that a signal owed, by version."""
        return await self._document(calls.track_record(name))

    async def subscriptions(self) -> list[JsonObject]:
        """Yours, whatever their state."""
        return [one async for one in self._items(calls.subscriptions())]

    async def post(
        self, path: str, body: dict[str, Any], *, idempotency_key: str | None = None
    ) -> JsonObject:
        """Make something by a POST that answers 201; sent again under one key if need be."""
        return await self._document(calls.create(path, body, idempotency_key))

    async def evidence(
        self,
        name: str,
        path: Path | str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Path:
        """Write the bundle for `signalbox verify` to a file, which is there whole or not at all."""
        target = Path(path)
        partial = target.with_name(f"{target.name}.part")
        try:
            answer = await self._answer(calls.evidence(name, start, end))
            partial.write_bytes(answer.content)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return target

    async def stream(
        self, names: Sequence[str] | None = None, *, last_event_id: str = ""
    ) -> AsyncIterator[Event]:
        """Events as they happen, without end: connects again by itself, behind the last one.

        Store `Event.id` with what you did with it, and give it as `last_event_id` when
        your program begins again.
        """
        reader, failures = EventReader(last_event_id), 0
        while True:
            try:
                async for event in self._connect(calls.stream(names), reader):
                    failures = 0
                    yield event
                wait_s = reader.wait_s
            except httpx.TransportError:
                wait_s = reader.wait_s + self._settings.retry.backoff_s(failures)
            failures += 1
            reader = EventReader(reader.last_event_id, reader.wait_s)
            await asyncio.sleep(wait_s)

    async def _connect(self, call: Call, reader: EventReader) -> AsyncIterator[Event]:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if reader.last_event_id:
            headers["Last-Event-ID"] = reader.last_event_id
        async with self._http.stream(
            call.method, call.path, params=dict(call.query), headers=headers,
            timeout=self._settings.stream_timeout,
        ) as answer:  # fmt: skip
            if answer.is_success:
                async for piece in answer.aiter_bytes():
                    for event in reader.feed(piece):
                        yield event
                return
            await answer.aread()
            asked = retry_after_s(answer)
            if not is_busy(answer) or (asked or 0.0) > self._settings.retry.longest_wait_s:
                raise refusal(answer, asked)
            await asyncio.sleep(asked or 0.0)

    async def _pages(self, call: Call) -> AsyncIterator[JsonObject]:
        page = await self._document(call)
        yield page
        while page.get("next"):
            page = await self._document(call.page(page["next"]))
            yield page

    async def _items(self, call: Call) -> AsyncIterator[JsonObject]:
        async for page in self._pages(call):
            for item in page["items"]:
                yield item

    async def _document(self, call: Call) -> JsonObject:
        return document(await self._answer(call))

    async def _answer(self, call: Call) -> httpx.Response:
        attempt = 0
        while True:
            answer, error = await self._send(call)
            if answer is not None and answer.is_success:
                heed(answer)
                return answer
            wait_s = self._settings.retry.wait_s(attempt, answer) if call.may_be_repeated else None
            if wait_s is None:
                if answer is None:
                    raise UnreachableError(f"{self._settings.url} does not answer: {error}")
                raise refusal(answer, retry_after_s(answer))
            attempt += 1
            await asyncio.sleep(wait_s)

    async def _send(self, call: Call) -> tuple[httpx.Response | None, str]:
        try:
            answer = await self._http.request(
                call.method, call.path, params=dict(call.query), json=call.body,
                headers=headers_of(call),
            )  # fmt: skip
        except httpx.TransportError as error:
            return None, f"{type(error).__name__}: {error}"
        return answer, ""
