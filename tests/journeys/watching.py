"""Whoever watches Relight: somebody else's parser reads its figures, a collector takes its spans, logs are read."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from prometheus_client.parser import text_string_to_metric_families

from tests.journeys.processes import SECONDS_MAX, wait_for

_START_SECONDS_MAX = 120.0  # four processes, on a machine that may have other things to do


@dataclass(frozen=True)
class Seen:
    """A span as a collector gets it."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]


class Collector:
    """An OTLP receiver on loopback, as OpenTelemetry's own description of the protocol has it."""

    def __init__(self) -> None:
        self.spans: list[Seen] = []
        spans = self.spans

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = ExportTraceServiceRequest()
                told.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
                spans.extend(_spans(told))
                body = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Tests say what they saw."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def of(self, trace: str) -> dict[str, Seen]:
        """The spans of one trace, by name."""
        return {one.name: one for one in self.spans if one.trace == trace}


def _spans(told: ExportTraceServiceRequest) -> Iterator[Seen]:
    for of in told.resource_spans:
        service = next(one.value.string_value for one in of.resource.attributes if one.key == "service.name")
        for span in (span for scope in of.scope_spans for span in scope.spans):
            attributes = {one.key: str(one.value) for one in span.attributes}
            yield Seen(
                service, span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), attributes
            )


@dataclass
class Watched:
    """`relight web` and `relight worker` at work for one partner, each with its figures at an address of its own."""

    folder: Path
    environment: dict[str, str]
    collector: Collector
    web: str = ""
    web_figures: str = ""
    worker_figures: str = ""
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, partner: str) -> None:
        """Both, until they are ready."""
        ports = [free_port() for _ in range(3)]
        self.web, self.web_figures, self.worker_figures = (f"http://127.0.0.1:{port}" for port in ports)
        self._start("web", "--port", str(ports[0]), "--processes", "1", "--metrics", str(ports[1]))
        self._start("worker", "--partner", partner, "--metrics", str(ports[2]))
        for address in (self.web, self.web_figures, self.worker_figures):
            wait_for(lambda at=address: answers(f"{at}/ready"), f"{address} is ready", seconds=_START_SECONDS_MAX)

    def _start(self, *words: str) -> None:
        with (self.folder / f"{words[0]}.log").open("wb") as log:
            command = [sys.executable, "-m", "relight.project.main", *words]
            self.running.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))

    def relight(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another command of the same installation."""
        command = [sys.executable, "-m", "relight.project.main", *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)

    def end(self) -> None:
        """Let both come to rest."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(SECONDS_MAX)
        self.running.clear()

    def logs(self) -> str:
        """Everything that the processes wrote."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def lines(self) -> list[dict[str, Any]]:
        """The same, as machines read it; raises ValueError for a line that is no JSON."""
        return [json.loads(line) for line in self.logs().splitlines()]


@contextmanager
def watched(urls: dict[str, str], folder: Path) -> Iterator[Watched]:
    """An installation that sends its spans to a collector and logs for machines; nothing runs yet."""
    collector = Collector()
    environment = {
        **os.environ,
        "RELIGHT_HOME": str(folder),
        "DATABASE_URL": urls["app"],
        "DATABASE_OWNER_URL": urls["owner"],
        "RELIGHT_SECRET_KEY": "only for tests",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    made = Watched(folder, environment, collector)
    try:
        yield made
    finally:
        made.end()
        collector.close()


def answers(url: str) -> bool:
    """Whether an address says yes."""
    try:
        return httpx.get(url, trust_env=False, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def figures(address: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What Prometheus reads there, by name and labels."""
    text = httpx.get(f"{address}/metrics", trust_env=False, timeout=20).raise_for_status().text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def figure(address: str, name: str, **labels: str) -> float:
    """The sum of one figure over all series that have these labels; 0 when there is none."""
    wanted = set(labels.items())
    return sum(value for (called, has), value in figures(address).items() if called == name and wanted <= has)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
