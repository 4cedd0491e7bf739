"""The web as a browser meets it: over HTTP, through the application that production runs, on a database of its own."""

import math
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import psycopg
import pytest

from relight.flow.database import Database
from tests.flow.conftest import database_urls, db, make_partner, other_partner, owner
from tests.web.console_sample import Portfolio, add_user, fill
from tests.web.console_visitor import SignIn, Visitor
from tests.web.tills import localstripe, office, prism, till

__all__ = ["database_urls", "db", "localstripe", "office", "other_partner", "owner", "prism", "till"]

SECRET = "only for tests"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """A thread answers once, and leaves no connection behind: the database has a hundred."""
        from django.db import connections

        super().process_request_thread(request, client_address)
        connections.close_all()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Tests say what they saw."""


@pytest.fixture
def now() -> datetime:
    """The moment itself: the site reads the database's clock, which no test can set."""
    return datetime.now(UTC)


@pytest.fixture
def partner(owner: psycopg.Connection, now: datetime) -> int:
    """A fresh partner's id."""
    return make_partner(owner, now)


@pytest.fixture(scope="session")
def django_ready(database_urls: dict[str, str]) -> None:
    """Django set up on the tests' database."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "relight.project.settings"
    os.environ["RELIGHT_APP_DATABASE"] = database_urls["app"]
    os.environ["RELIGHT_OWNER_DATABASE"] = database_urls["owner"]
    os.environ["RELIGHT_SECRET_KEY"] = SECRET
    import django

    django.setup()


@pytest.fixture(scope="session")
def site(django_ready: None) -> Iterator[str]:
    """The address of a running site; ends with the session."""
    from relight.project.wsgi import application
    from relight.web import database

    server = make_server("127.0.0.1", 0, application, server_class=_Server, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    database.close()


@pytest.fixture
def portfolio(db: Database, partner: int, now: datetime) -> Portfolio:
    """The partner's cases, each with its story."""
    return fill(db, partner, now)


@pytest.fixture
def seat(site: str, owner: psycopg.Connection, partner: int) -> Iterator[SignIn]:
    """Signs a new user with a role in at the partner: `seat("manager")`."""
    seated: list[Visitor] = []

    def sit(role: str, *, at: int | None = None) -> Visitor:
        visitor = Visitor(site)
        seated.append(visitor)
        assert visitor.signs_in(add_user(owner, at or partner, role)).path == "/console/"
        return visitor

    yield sit
    for visitor in seated:
        visitor.browser.close()


@pytest.fixture(autouse=True)
def counted_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is: a test looks at what it did a moment ago."""
    monkeypatch.setattr("relight.web.console.queries.kept._QUICK_SECONDS", math.inf)
