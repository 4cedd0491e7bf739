"""Traces that are not asked for need nothing; asked for without their packages, they say what to install."""

import sys

import pytest

from relight.telemetry import traces


def test_traces_are_off_unless_somebody_says_where_to_send_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in traces.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)

    traces.start("worker")
    with traces.span("decide", case=7) as told:
        told.note(state="closed")

        assert told.traceparent == ""
        assert traces.current() == ""
    assert not traces.are_on()


def test_traces_without_their_packages_are_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http", None)

    with pytest.raises(traces.UnableToTrace, match=r"pip install 'relight\[traces\]'"):
        traces.check()
