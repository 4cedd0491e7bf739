"""The address for whoever watches: `/metrics`, `/health` and `/ready`. Loopback unless its owner says otherwise."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

LOOPBACK = "127.0.0.1"
_LOOK_EVERY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Health:
    """How things are: what is wrong, in sentences; nothing when all is well. `facts` are figures for whoever looks."""

    wrong: tuple[str, ...] = ()
    facts: Mapping[str, object] | None = None


Ask = Callable[[], Health]


@dataclass(frozen=True, slots=True)
class Watched:
    """What is served: the figures, whether the processes are alive, and whether they can do their work."""

    registry: CollectorRegistry
    health: Ask
    ready: Ask


def address(text: str) -> tuple[str, int]:
    """Host and port of "9464", "0.0.0.0:9464" or "[::1]:9464"; only a port means loopback. Raises ValueError."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValueError(f"{text!r} is no address; write a port such as 9464, or a host and a port")
    return host.strip("[]") or LOOPBACK, int(port)


@contextmanager
def serving(watched: Watched, *, host: str, port: int) -> Iterator[int]:
    """Serve for as long as the block lasts; yields the port (a free one for 0). Raises OSError when it is taken."""

    class Handler(_Handler):
        pass

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

    Handler.watched = watched
    server = Server((host, port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(_LOOK_EVERY_SECONDS,), name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Three pages, each computed when it is asked for."""

    watched: Watched
    server_version = "relight"
    sys_version = ""
    timeout = 10

    def do_GET(self) -> None:
        """Answer; anything else than the three pages is not there."""
        match self.path.partition("?")[0]:
            case "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, encode(self.watched.registry), content_type)
            case "/health":
                self._tell(self.watched.health())
            case "/ready":
                self._tell(self.watched.ready())
            case _:
                self._answer(404, b"There are /metrics, /health and /ready.\n", "text/plain")

    def _tell(self, health: Health) -> None:
        told = {"ok": not health.wrong, "wrong": list(health.wrong), **(health.facts or {})}
        body = json.dumps(told, default=str).encode() + b"\n"
        self._answer(503 if health.wrong else 200, body, "application/json")

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: scrapes come every few seconds."""
