"""Traces: one payment's way from its webhook to the device, across processes, for whoever has a collector.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT says where to send them; then the extra has to be installed. The other variables
of OpenTelemetry (sampling, headers, the service's name) mean what they always do. A span carries ids and words of ours.

Between processes a span is known by its `traceparent` (W3C Trace Context), a short text that fits in a row.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_HOW = "Traces need packages of their own: pip install 'relight[traces]', or unset OTEL_EXPORTER_OTLP_ENDPOINT."


class UnableToTrace(RuntimeError):
    """Traces are asked for and cannot be made; the text says what to install."""


class Span:
    """A span under way, or nothing when traces are off."""

    __slots__ = ("_span",)

    def __init__(self, span: Any = None):
        self._span = span

    @property
    def traceparent(self) -> str:
        """How another process may go on from here; empty when this is not recorded."""
        if self._span is None or not self._span.is_recording():
            return ""
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"

    def note(self, **attributes: str | int | float | bool) -> None:
        """Say more of it."""
        if self._span is not None:
            self._span.set_attributes({f"relight.{name}": value for name, value in attributes.items()})

    def fail(self, why: str) -> None:
        """It did not go well."""
        if self._span is not None:
            from opentelemetry.trace import Status, StatusCode

            self._span.set_status(Status(StatusCode.ERROR, why))


@dataclass(slots=True)
class _Sending:
    """This process's tracer, and where its spans go; `pid` is whose threads they are."""

    tracer: Any = None
    provider: Any = None
    pid: int = 0


_NOTHING = Span()
_sending = _Sending()


def are_on() -> bool:
    """Whether spans go anywhere."""
    return _sending.tracer is not None or any(os.environ.get(name) for name in ENDPOINTS)


def check() -> None:
    """Raises `UnableToTrace` when traces are asked for and their packages are not there."""
    if are_on():
        _packages()


def start(service: str) -> None:
    """Send this process's spans under a service's name, if it is asked for. Raises `UnableToTrace`.

    Call it in the process that works: the sender is a thread, and a forked process has it no more.
    """
    if not are_on() or _sending.pid == os.getpid():
        return
    sdk, exporter = _packages()
    named = os.environ.get("OTEL_SERVICE_NAME") or f"relight-{service}"
    provider = sdk.trace.TracerProvider(resource=sdk.resources.Resource.create({"service.name": named}))
    provider.add_span_processor(sdk.trace.export.BatchSpanProcessor(exporter.OTLPSpanExporter()))
    _sending.tracer, _sending.provider, _sending.pid = provider.get_tracer("relight"), provider, os.getpid()


def stop() -> None:
    """Send what is left, at the end of a process."""
    if _sending.provider is not None and _sending.pid == os.getpid():
        _sending.provider.shutdown()
    _sending.tracer = _sending.provider = None
    _sending.pid = 0


@contextmanager
def span(
    name: str, *, parent: str = "", only_within: bool = False, **attributes: str | int | float | bool | None
) -> Iterator[Span]:
    """A span around a block: under `parent` (a traceparent) if given, else under the span that goes on here.

    With `only_within`, nothing is recorded unless there is one or the other.
    """
    if _sending.tracer is None or (only_within and not parent and not current()):
        yield _NOTHING
        return
    from opentelemetry import trace

    told = {f"relight.{key}": value for key, value in attributes.items() if value is not None}
    started = _sending.tracer.start_span(name, context=_context(parent), attributes=told)
    made = Span(started)
    # What an exception says may quote a row: its kind has to do.
    with trace.use_span(started, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield made
        except Exception as error:
            made.fail(type(error).__name__)
            raise


def current() -> str:
    """The traceparent of the span that goes on here; empty when none is recorded."""
    if _sending.tracer is None:
        return ""
    from opentelemetry import trace

    return Span(trace.get_current_span()).traceparent


def ids() -> dict[str, str]:
    """The trace and the span that go on here, for a line of the log."""
    found = current()
    if not found:
        return {}
    _, trace_id, span_id, _ = found.split("-")
    return {"trace_id": trace_id, "span_id": span_id}


def _context(parent: str) -> Any:
    if not parent:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent})


def _packages() -> tuple[Any, Any]:
    """OpenTelemetry's SDK and its exporter over HTTP."""
    try:
        import opentelemetry.sdk.resources
        import opentelemetry.sdk.trace.export
        from opentelemetry.exporter.otlp.proto.http import trace_exporter
    except ImportError as missing:
        raise UnableToTrace(_HOW) from missing
    return opentelemetry.sdk, trace_exporter
