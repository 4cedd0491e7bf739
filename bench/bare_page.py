"""The bare page beside `paypage`: what a page costs when nothing is thought and nothing is drawn.

The same server under WSGI, with as many threads, asks the pay page's own statements in one round trip, by the same
connections, and answers as many bytes as the page has: always the same. It reads no signature, makes no facts and no
sentence, and fills in no template. `python -m bench.bare_page PORT BYTES`; a path is /PARTNER/LINK.
"""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from granian.constants import Interfaces
from granian.server import Server

from relight.flow.payments import queries
from relight.web.database import database

_BYTES_VARIABLE = "RELIGHT_BENCH_BYTES"
_BODY = b"<" * int(os.environ.get(_BYTES_VARIABLE, "0"))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """WSGI (PEP 3333)."""
    partner, link = (int(part) for part in environ["PATH_INFO"][1:].split("/"))
    _, (found, _) = database().ask(partner, queries.page(link), queries.opened(link))
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(_BODY)))]
    start_response("200 OK" if found else "404 Not Found", headers)
    return [_BODY]


def main() -> None:
    """Serve on loopback until ended by a signal, as `relight web --processes 1` does."""
    port, size = sys.argv[1:]
    os.environ[_BYTES_VARIABLE] = size  # for the server's own process, which imports this module anew
    Server(
        "bench.bare_page:application",
        address="127.0.0.1",
        port=int(port),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=4,
        backlog=1024,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    main()
