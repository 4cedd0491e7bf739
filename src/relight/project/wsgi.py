"""What the web server runs: Django twice, with the console's middleware and without.

The pay pages and the webhooks have no sessions, no sign-in and no CSRF cookie (docs/payments.md says why), and there
are thousands of them for each page of the console. They get the handler without middleware; the rest gets all of it.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "relight.project.settings")

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

BARE = ("/p/", "/webhooks/")


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

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI (PEP 3333)."""
        bare = environ.get("PATH_INFO", "").startswith(BARE)
        return (self._bare if bare else self._full)(environ, start_response)


application = Application()
