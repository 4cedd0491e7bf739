"""`relight bench paypage`: pay pages a second from one web process on one core; no link is asked for twice.

The web process and its threads are pinned to one core; who asks keeps to the others, and PostgreSQL goes where the
machine puts it. A page has its own account, claim and service, so nothing that could be kept from one answer helps
with the next.
"""

import asyncio
import os
import random
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench import population
from bench.asking import Asked, ask_all, fetch
from bench.figures import machine, percentiles
from bench.home import Home, private
from bench.population import CUT_OFF, Plan, Shape
from bench.processes import free_port, running, wait_for_port
from relight.flow.payments.links import LinkKey, make

_FIRST = 1_000_000
_CONNECTIONS = 16
_WARM_UP_SECONDS = 2.0
_SEED = 20260303
_OWED = (Shape(steps=1, due_days=30, last_days=12),)
_PARTS = re.compile(r"""<(?:link|script|img)\b[^>]*?\b(?:href|src)="([^"]+)\"""")

News = Callable[[str], None]


def run(*, links: int = 100_000, seconds: int = 20, news: News = print) -> dict[str, Any]:
    """Ask for pay pages for `seconds`, out of `links`; the contract's JSON (DESIGN § 9) and more."""
    with private() as home, home.owner() as owner:
        news(f"filling in {links:,} pay links …")
        partner = _populate(home, owner, links)
        port = free_port()
        web, others = _cores()
        paths = _paths(partner, links, home.environment["RELIGHT_SECRET_KEY"])
        with running(home, "web", "--port", str(port), "--processes", "1", cores=web), _on(others):
            wait_for_port(port)
            news(f"asking for {seconds} s …")
            measured = _measure(owner, port, partner, paths, seconds)
        return {**measured, "links": links, "machine": machine(owner)}


def in_text(result: Mapping[str, Any]) -> str:
    """The result for people."""
    return (
        f"{result['requests']:,} pages of {result['links']:,} links, by {result['connections']} connections.\n"
        f"  {result['requests_per_second']:,.0f} pages a second on one core, p50 {result['p50_ms']:.1f} ms,"
        f" p99 {result['p99_ms']:.1f} ms; a page weighs {result['page_bytes'] / 1024:.1f} KB"
    )


def _populate(home: Home, owner: psycopg.Connection, links: int) -> int:
    """Customers whose broadband is off, each with a link; the partner's id."""
    now = datetime.now(UTC)
    settings = {"payments": {"testpay": {"secret": "only-in-this-benchmark", "folder": str(home.folder / "testpay")}}}
    partner = population.make_partner(owner, "nordlys", now, settings)
    with home.database() as db:
        policy = population.publish_policies(db, partner, now)["broadband"]
    with home.filling() as filling:
        plan = Plan(_FIRST, links, _OWED, level="off", tables=CUT_OFF)
        population.fill(filling, partner, policy, plan, now)
        population.settle_down(filling)
    return partner


def _measure(owner: psycopg.Connection, port: int, partner: int, paths: Iterator[str], seconds: int) -> dict[str, Any]:
    page_bytes = asyncio.run(_weigh(port, next(paths)))
    asyncio.run(ask_all(port, paths, connections=_CONNECTIONS, seconds=min(_WARM_UP_SECONDS, seconds)))
    asked = asyncio.run(ask_all(port, paths, connections=_CONNECTIONS, seconds=seconds))
    _check_opened(owner, partner, asked)
    spread = percentiles(asked.ms)
    return {
        "requests_per_second": round(len(asked.ms) / asked.seconds, 1),
        "p99_ms": spread["p99"],
        "page_bytes": page_bytes,
        "p50_ms": spread["p50"],
        "requests": len(asked.ms),
        "connections": _CONNECTIONS,
    }


def _paths(partner: int, links: int, secret: str) -> Iterator[str]:
    """Each link once, in an order that is no index's."""
    key = LinkKey.of(secret)
    ids = list(range(_FIRST, _FIRST + links))
    random.Random(_SEED).shuffle(ids)
    return (f"/p/{make(partner, id_, key)}" for id_ in ids)


async def _weigh(port: int, path: str) -> int:
    """Bytes of the page, with all that it loads from us; nothing is compressed."""
    body = await fetch(port, path)
    ours = [urlsplit(part) for part in _PARTS.findall(body.decode())]
    return len(body) + sum([len(await fetch(port, part.path)) for part in ours if not part.scheme and not part.netloc])


def _check_opened(owner: psycopg.Connection, partner: int, asked: Asked) -> None:
    """The database saw each of them: a page that was kept somewhere would not have marked its link as opened."""
    found = owner.execute(
        "SELECT count(*) FROM pay_link WHERE partner_id = %s AND opened_at IS NOT NULL", (partner,)
    ).fetchone()
    if found is None or found[0] < len(asked.ms):
        raise RuntimeError(f"{len(asked.ms)} pages were answered, but {found} links were opened")


def _cores() -> tuple[Collection[int], Collection[int]]:
    """One core for the web process, the others for who asks (the same where there is one)."""
    first, *others = sorted(os.sched_getaffinity(0))
    return {first}, set(others) or {first}


@contextmanager
def _on(cores: Collection[int]) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
