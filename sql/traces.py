"""Traces by OpenTelemetry, where an operator collects them: an extra.

Off, nothing of OpenTelemetry is imported, and a span is one shared object that does nothing. The
steps of one of Dagster's runs run in several processes and threads, and belong to one trace all the
same: its id is the run's own.
"""

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

import msgspec

from sql import logs
from sql.configuration import ConfigurationError, read_settings

SECONDS = 5  # for a collector to take what it is sent

Value = str | int | float | bool


class TraceSettings(msgspec.Struct, frozen=True):
    """Read from the environment; see docs/operations/configuration.md."""

    otlp_endpoint: str | None = None


class Span(Protocol):
    """What is being done."""

    def set(self, **facts: Value) -> None:
        """Facts that are known by now."""


class _Nothing:
    def set(self, **_: Value) -> None:
        pass


_OFF = nullcontext(_Nothing())
_on: dict[str, Any] = {}  # provider and tracer, once there are any


def begin(process: str) -> None:
    """Send spans to the collector that is set; does nothing without one, or again.

    Raises:
        ConfigurationError: the extra `otel` is not installed.
    """
    endpoint = read_settings(TraceSettings).otlp_endpoint
    if not endpoint or _on:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            "SIGNALBOX_OTLP_ENDPOINT is set: install signalbox-platform[otel], or unset it"
        ) from error
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=SECONDS)
    provider = TracerProvider(resource=Resource.create({"service.name": f"signalbox-{process}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _on.update(provider=provider, tracer=provider.get_tracer("signalbox"))
    logs.also(_ids)


def flush() -> None:
    """Send what is ready, before a process ends that could be killed."""
    if _on:
        _on["provider"].force_flush(SECONDS * 1000)


def span(name: str, **facts: Value) -> AbstractContextManager[Span]:
    """As long as it is open, what is begun in this thread or task is part of it."""
    return _open(name, facts) if _on else _OFF


def past(name: str, began: float, ended: float, **facts: Value) -> None:
    """A part of what is open that is over already; unix seconds."""
    if _on:
        made = _on["tracer"].start_span(name, start_time=int(began * 1e9), attributes=facts)
        made.end(int(ended * 1e9))


def of_run(run_id: str) -> AbstractContextManager[None]:
    """What is begun meanwhile belongs to the trace of one of Dagster's runs."""
    return _within(run_id) if _on else nullcontext()


class _Open:
    def __init__(self, made: Any) -> None:
        self._made = made

    def set(self, **facts: Value) -> None:
        self._made.set_attributes(facts)


@contextmanager
def _open(name: str, facts: dict[str, Value]) -> Iterator[Span]:
    with _on["tracer"].start_as_current_span(name, attributes=facts) as made:
        yield _Open(made)


@contextmanager
def _within(run_id: str) -> Iterator[None]:
    from opentelemetry import context, trace  # noqa: PLC0415 - an extra

    number = uuid.UUID(run_id).int
    parent = trace.SpanContext(
        number, number & (1 << 64) - 1, is_remote=True, trace_flags=trace.TraceFlags(1)
    )
    token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(parent)))
    try:
        yield
    finally:
        context.detach(token)


def _ids() -> dict[str, str]:
    """Of the span that is open, for lines of the log."""
    from opentelemetry import trace  # noqa: PLC0415 - an extra

    here = trace.get_current_span().get_span_context()
    return {"trace_id": f"{here.trace_id:032x}"} if here.is_valid else {}
