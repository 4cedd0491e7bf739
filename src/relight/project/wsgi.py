"""What the web server runs: Django twice, with the console's middleware and without.

The pay pages and the webhooks have no sessions, no sign-in and no CSRF cookie (docs/payments.md says why), and there
are thousands of them for each page of the console. They get the handler without middleware; the rest gets all of it.
"""

import os
import time
from collections.abc import Callable, Iterable
from multiprocessing.util import Finalize
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "relight.project.settings")

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from relight.telemetry import traces
from relight.telemetry.metrics import REQUEST_SECONDS

BARE = ("/p/", "/webhooks/", "/health", "/ready")
_ENTRANCES = {
    "p": "pay page",
    "webhooks": "webhook",
    "console": "console",
    "static": "static",
    "health": "health",
    "ready": "health",
}


class BareHandler(WSGIHandler):
    """Django without middleware: addresses, views, and errors made into answers."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Only what every chain begins with: exceptions become responses."""
        assert not is_async
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]  # not in the stubs


class Application:
    """Sends each request to its handler, by the beginning of its path."""

    def __init__(self) -> None:
        self._full = get_wsgi_application()
        self._bare = BareHandler()
        traces.start("web")
        Finalize(None, traces.stop, exitpriority=10)  # processes of a server end without Python's own farewell

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI (PEP 3333)."""
        path = environ.get("PATH_INFO", "")
        entrance, began = _ENTRANCES.get(path[1:].partition("/")[0], "other"), time.perf_counter()

        def answer(status: str, *given: Any) -> Any:
            REQUEST_SECONDS.labels(entrance, f"{status[0]}xx").observe(time.perf_counter() - began)
            return start_response(status, *given)

        return (self._bare if path.startswith(BARE) else self._full)(environ, answer)


application = Application()
