"""`relight bench paypage`: pay pages a second from one web process on one core; no link is asked for twice.

The web process and its threads are pinned to one core; who asks keeps to the others, and PostgreSQL goes where the
machine puts it. A page has its own account, claim and service, so nothing that could be kept from one answer helps
with the next.

Beside it, by turns on the same core and the same database, the bare page (`bench/bare_page.py`): the same statements
and as many bytes, for links of its own.
"""

import asyncio
import os
import random
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench import population
from bench.asking import Asked, ask_all, fetch
from bench.figures import machine, percentiles
from bench.home import Home, private
from bench.population import CUT_OFF, Plan, Shape
from bench.processes import free_port, running, started, wait_for_port
from relight.flow.payments.links import LinkKey, make
from relight.web.database import ADDRESS_VARIABLE

_FIRST = 1_000_000
_CONNECTIONS = 16
_WARM_UP_SECONDS = 2.0
_TURNS = 2
_SEED = 20260303
_OWED = (Shape(steps=1, due_days=30, last_days=12),)
_PARTS = re.compile(r"""<(?:link|script|img)\b[^>]*?\b(?:href|src)="([^"]+)\"""")

News = Callable[[str], None]


@dataclass(slots=True)
class Side:
    """Who answers, the product or the bare page: its port, the links that nobody has asked it for, and the answers."""

    port: int
    paths: Iterator[str]
    asked: Asked

    def answer(self, seconds: float) -> None:
        """Ask it for so long, and keep what came of it."""
        found = asyncio.run(ask_all(self.port, self.paths, connections=_CONNECTIONS, seconds=seconds))
        self.asked.ms += found.ms
        self.asked.seconds += found.seconds


def run(*, links: int = 100_000, seconds: int = 20, news: News = print) -> dict[str, Any]:
    """Ask for pay pages for `seconds`, out of `links`, and for half as long for bare ones; the contract's JSON
    (DESIGN § 9) and more."""
    with private() as home, home.owner() as owner, ExitStack() as stack:
        news(f"filling in {links:,} pay links, and half as many for the bare page …")
        partner = _populate(home, owner, links + links // 2)
        web, others = _cores()
        ours, theirs = _paths(partner, links, home.environment["RELIGHT_SECRET_KEY"])
        product = Side(free_port(), ours, Asked())
        stack.enter_context(running(home, "web", "--port", str(product.port), "--processes", "1", cores=web))
        stack.enter_context(_on(others))
        wait_for_port(product.port)
        body, page_bytes = asyncio.run(_weigh(product.port, next(ours)))
        bare = Side(free_port(), theirs, Asked())
        command = [sys.executable, "-m", "bench.bare_page", str(bare.port), str(body)]
        stack.enter_context(started(home, command, "bare page", cores=web, **{ADDRESS_VARIABLE: home.app_url}))
        wait_for_port(bare.port)
        news(f"asking for {seconds} s, and the bare page for {seconds / 2:g} s, by turns …")
        _ask_by_turns(product, bare, seconds)
        _check_opened(owner, partner, product.asked, bare.asked)
        return {
            **_measured(product.asked, bare.asked),
            "page_bytes": page_bytes,
            "html_bytes": body,
            "connections": _CONNECTIONS,
            "links": links,
            "machine": machine(owner),
        }


def in_text(result: Mapping[str, Any]) -> str:
    """The result for people."""
    return (
        f"{result['requests']:,} pages of {result['links']:,} links, by {result['connections']} connections.\n"
        f"  {result['requests_per_second']:,.0f} pages a second on one core, p50 {result['p50_ms']:.1f} ms,"
        f" p99 {result['p99_ms']:.1f} ms; a page weighs {result['page_bytes'] / 1024:.1f} KB\n"
        f"  bare page: {result['raw_requests_per_second']:,.0f} a second, p50 {result['raw_p50_ms']:.1f} ms,"
        f" p99 {result['raw_p99_ms']:.1f} ms\n"
        f"  ratio     {result['ratio']:>8.2f}"
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


def _ask_by_turns(product: Side, bare: Side, seconds: int) -> None:
    """Both warm up, then take turns, so that a noisy neighbour disturbs both."""
    for side in (product, bare):
        side.answer(min(_WARM_UP_SECONDS, seconds))
        side.asked = Asked()
    for _ in range(_TURNS):
        product.answer(seconds / _TURNS)
        bare.answer(seconds / _TURNS / 2)


def _measured(asked: Asked, bare: Asked) -> dict[str, Any]:
    ours, theirs = percentiles(asked.ms), percentiles(bare.ms)
    per_second, bare_per_second = len(asked.ms) / asked.seconds, len(bare.ms) / bare.seconds
    return {
        "requests_per_second": round(per_second, 1),
        "raw_requests_per_second": round(bare_per_second, 1),
        "ratio": round(per_second / bare_per_second, 3),
        "p50_ms": ours["p50"],
        "p99_ms": ours["p99"],
        "raw_p50_ms": theirs["p50"],
        "raw_p99_ms": theirs["p99"],
        "requests": len(asked.ms),
        "raw_requests": len(bare.ms),
    }


def _paths(partner: int, links: int, secret: str) -> tuple[Iterator[str], Iterator[str]]:
    """Each link once, in an order that is no index's: of the pages, and then of the bare page."""
    key = LinkKey.of(secret)
    pages, bare = list(range(_FIRST, _FIRST + links)), list(range(_FIRST + links, _FIRST + links + links // 2))
    for ids in (pages, bare):
        random.Random(_SEED).shuffle(ids)
    return (f"/p/{make(partner, id_, key)}" for id_ in pages), (f"/{partner}/{id_}" for id_ in bare)


async def _weigh(port: int, path: str) -> tuple[int, int]:
    """Bytes of the page alone, and with all that it loads from us; nothing is compressed."""
    body = await fetch(port, path)
    ours = [urlsplit(part) for part in _PARTS.findall(body.decode())]
    parts = [len(await fetch(port, part.path)) for part in ours if not part.scheme and not part.netloc]
    return len(body), len(body) + sum(parts)


def _check_opened(owner: psycopg.Connection, partner: int, *asked: Asked) -> None:
    """The database saw each of them: a page that was kept somewhere would not have marked its link as opened."""
    answered = sum(len(each.ms) for each in asked)
    found = owner.execute(
        "SELECT count(*) FROM pay_link WHERE partner_id = %s AND opened_at IS NOT NULL", (partner,)
    ).fetchone()
    if found is None or found[0] < answered:
        raise RuntimeError(f"{answered} pages were answered, but {found} links were opened")


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
