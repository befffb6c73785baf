"""Requests of the API, made without a network: one function for each method of the clients."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

FORECASTS_A_PAGE = 1000
BARS_A_PAGE = 5000
SIGNALS_A_PAGE = 100


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        query: without the parameters that were left out.
        idempotency_key: of a create, so that it may be sent again.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    idempotency_key: str | None = None

    @property
    def may_be_repeated(self) -> bool:
        return self.method == "GET" or self.idempotency_key is not None

    def page(self, cursor: str) -> "Call":
        """The same list, behind a cursor."""
        return Call(self.method, self.path, {**self.query, "cursor": cursor})


def signals(filters: Mapping[str, Any]) -> Call:
    return Call("GET", "/v1/signals", _query({"limit": SIGNALS_A_PAGE, **filters}))


def signal(name: str) -> Call:
    return Call("GET", _path(name))


def compare(names: Sequence[str]) -> Call:
    return Call("GET", "/v1/signals/compare", {"signals": ",".join(names)})


def marginal(name: str, held: Sequence[str] | None) -> Call:
    query = {} if held is None else {"held": ",".join(held)}
    return Call("GET", f"{_path(name)}/marginal", query)


def forecasts(
    name: str,
    start: datetime | None,
    end: datetime | None,
    symbol: str | None,
    horizon: int | None,
    provenance: Sequence[str] | None,
    version: str | None,
) -> Call:
    query = {
        "from": start, "to": end, "symbol": symbol, "horizon": horizon, "version": version,
        "provenance": None if provenance is None else ",".join(provenance),
        "limit": FORECASTS_A_PAGE,
    }  # fmt: skip
    return Call("GET", f"{_path(name)}/forecasts", _query(query))


def latest(name: str | None) -> Call:
    return Call(
        "GET", "/v1/forecasts/latest" if name is None else f"{_path(name)}/forecasts/latest"
    )


def performance(name: str, window: str, version: str | None) -> Call:
    query = _query({"window": window, "version": version})
    return Call("GET", f"{_path(name)}/performance", query)


def track_record(name: str) -> Call:
    return Call("GET", f"{_path(name)}/track-record")


def bars(symbol: str, start: datetime | None, end: datetime | None) -> Call:
    query = _query({"symbol": symbol, "start": start, "end": end, "limit": BARS_A_PAGE})
    return Call("GET", "/v1/bars", query)


def subscriptions() -> Call:
    return Call("GET", "/v1/subscriptions")


def evidence(name: str, start: datetime | None, end: datetime | None) -> Call:
    return Call("GET", f"{_path(name)}/evidence", _query({"from": start, "to": end}))


def stream(names: Sequence[str] | None) -> Call:
    query = {} if names is None else {"signals": ",".join(names)}
    return Call("GET", "/v1/stream", query)


def create(path: str, body: Mapping[str, Any], idempotency_key: str | None) -> Call:
    return Call("POST", path, {}, body, idempotency_key or str(uuid.uuid4()))


def _path(name: str) -> str:
    provider, slash, own = name.partition("/")
    if not (provider and slash and own):
        raise ValueError(f"a signal is provider/name, not {name!r}")
    return f"/v1/signals/{quote(provider, safe='')}/{quote(own, safe='')}"


def _query(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _written(name, value) for name, value in values.items() if value is not None}


def _written(name: str, value: Any) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{name} needs a time zone: {value} is no instant")
        return value.astimezone(UTC).isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)
