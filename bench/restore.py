"""`relight bench restore`: from a signed webhook over HTTP to light, on the real counterparts, beside a night run.

Customers who are cut off (power; half of the broadband) or in the walled garden (the other half, online) pay one after
another at a fixed pace, whether or not those before them are back: who waits in a queue is counted with the queue. Web
and workers are processes of their own, as `relight web` and `relight worker` start them. Afterwards a bare loop
(`bench/bare_restore.py`) reaches the same counterparts at the same pace, beside the same night run. See
docs/benchmarks.md for what each figure means.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import psycopg

from bench import asleep, bare_restore, population
from bench.bare_restore import BareLoop
from bench.beside import Beside
from bench.figures import in_words, machine, percentiles, share
from bench.home import Home, private
from bench.load import Load
from bench.population import CUT, CUT_OFF, WAITING, Plan, Shape
from bench.processes import free_port, running, wait_for_port, wait_until
from bench.town import SQL, Town, running_town
from relight.drivers.testpay import TestProvider
from relight.flow.payments.port import Order

BROADBAND, POWER, LOAD = 1_000_000, 2_000_000, 10_000_000
LIMITED = (Shape(steps=3, due_days=90, last_days=3),)
_SENDERS = 64  # payments that the provider tells of at once: nobody waits for another's answer
_BUTTON_AFTER = 10  # payments later, the household presses its meter's button
_WARM_UP = 3  # payments of each kind that are made first and not counted: connections and plans as on any other day
_BACK_WITHIN_SECONDS = 90

News = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Payment:
    """One customer's payment: the webhook to come, and where its restore can be seen."""

    account: int
    ref: str
    meter: int | None = None


@dataclass(slots=True)
class Bench:
    """One run's parts."""

    home: Home
    town: Town
    owner: psycopg.Connection
    provider: TestProvider
    client: httpx.Client  # one for all: what a new one reads for TLS would cost more than all that is measured
    url: str = ""
    partner: int = 0
    rate: float = 5
    sent: dict[int, datetime] = field(default_factory=dict[int, datetime])
    beside: int = 0  # payments before which the load was seen to go on
    asleep: Mapping[str, Any] | None = None

    def pay(self, payment: Payment) -> bool:
        """The provider's signed webhook, over HTTP; sent a moment after the database's clock was read. Whether the load
        went on by then."""
        headers, body = self.provider.webhook_of(self.provider.finish(payment.ref, "pay"))
        found = self.owner.execute(SQL.is_due, {"partner": self.partner}).fetchone()
        assert found is not None
        self.sent[payment.account] = found[0]
        self.client.post(self.url, content=body, headers=headers).raise_for_status()
        return bool(found[1])


def run(
    *,
    runs: int = 100,
    power: int | None = None,
    rate: float = 5,
    load_cases: int = 100_000,
    import_rows: int = 0,
    feed_events: int = 0,
    beside: int = 0,
    sms: Mapping[str, Any] | None = None,
    zone: str = "",
    news: News = print,
) -> dict[str, Any]:
    """`runs` payments for broadband and `power` (as many, unless said) for power, `rate` a second; the contract's JSON
    (DESIGN § 9) and more. Beside them go the night run, and an import and a feed of so many rows and events. Then comes
    the bare loop, with the night run beside it. `beside`: so many whole accounts of the partner sleep. With `sms` text
    messages go by that driver instead of an inbox, and with `zone` the partner lives there: it may be night in
    Oslo."""
    each = (runs + _WARM_UP, (runs if power is None else power) + _WARM_UP)
    lines, meters = (min(count, bare_restore.MOST + _WARM_UP) for count in each)
    with ExitStack() as stack:
        home = stack.enter_context(private())
        news("starting FreeRADIUS and the meters …")
        town, owner = stack.enter_context(running_town(home, each[1] + meters)), stack.enter_context(home.owner())
        bench = _furnish(home, town, owner, stack.enter_context(_client()), sms)
        if zone:
            bench.owner.execute(SQL.move_to, {"partner": bench.partner, "zone": zone})
        bench.rate = rate
        news(f"filling in {load_cases:,} cases …")
        others = Beside(home, bench.owner, import_rows, feed_events)
        others.fill(_now(bench.owner))
        bare = BareLoop(home, town, lines, meters)
        payments = _populate(bench, each, load_cases, bare, partial(asleep.fill, accounts=beside, news=news))
        port = free_port()
        bench.url = f"http://127.0.0.1:{port}/webhooks/nordlys/testpay"
        stack.enter_context(running(home, "web", "--port", str(port)))
        stack.enter_context(running(home, "worker"))
        wait_for_port(port)
        load = Load(home, bench.partner, LOAD, load_cases)
        wait_until(lambda: load.due() < load_cases or not load_cases, "the load being decided")
        with load:
            _pay_all(bench, payments[: 2 * _WARM_UP])
            bench.beside = 0
            news(f"{len(payments) - 2 * _WARM_UP:,} payments, {rate:g} a second …")
            with others.going_on():
                _pay_all(bench, payments[2 * _WARM_UP :])
        news(f"the bare loop: {lines + meters:,} restores at the same pace …")
        with Load(home, bench.partner, LOAD, load_cases):
            raw = bare.run(rate, warm_up=2 * _WARM_UP)
        return _result(bench, payments[2 * _WARM_UP :], load, others, raw)


def in_text(result: Mapping[str, Any]) -> str:
    """The result for people."""
    load = result["load"]
    return "\n".join(
        (
            f"{result['runs']:,} payments for broadband and {result['power']:,} for power, {result['rate']:g} a second;"
            f" {load['decided']:,} cases decided beside them ({load['per_second']:,} a second; some waited at"
            f" {load['beside']:,} of {result['runs'] + result['power']:,} payments).",
            *(f"  beside them, {name}: {told}" for name, told in load["also"].items()),
            in_words("inside, ms", result["inside_ms"]),
            in_words("  to the attempt's record, ms", result["attempt_ms"]),
            in_words("broadband, to proven log-in, ms", result["broadband_ms"]),
            in_words("power, to ready for button, ms", result["power_ms"]),
            in_words("bare loop: inside, ms", result["raw_inside_ms"]),
            in_words("  broadband", result["raw_broadband_ms"]),
            in_words("  power", result["raw_power_ms"]),
            f"  ratio of the medians inside: {result['ratio']:.2f}",
            f"  not back in time: {result['lost']}; attempts that had to be repeated: {result['repeated']}",
        )
    ) + asleep.in_text(result)


def _client() -> httpx.Client:
    """As many connections as the provider tells on at once; all stay open."""
    limits = httpx.Limits(max_connections=_SENDERS, max_keepalive_connections=_SENDERS)
    return httpx.Client(trust_env=False, timeout=30, limits=limits)


def _furnish(
    home: Home, town: Town, owner: psycopg.Connection, client: httpx.Client, sms: Mapping[str, Any] | None
) -> Bench:
    settings = {"secret": "only-in-this-benchmark", "folder": str(home.folder / "testpay")}
    bench = Bench(home, town, owner, TestProvider(settings), client)
    drivers = {
        "supply": town.drivers,
        "messages": {channel: {"driver": "inbox", "channel": channel} for channel in ("sms", "email", "letter")}
        | ({"sms": dict(sms)} if sms else {}),
        "payments": {"testpay": settings},
    }
    bench.partner = population.make_partner(owner, "nordlys", _now(owner), drivers)
    return bench


def _populate(
    bench: Bench, each: tuple[int, int], load_cases: int, bare: BareLoop, put_to_sleep: Callable[..., dict[str, Any]]
) -> list[Payment]:
    """The portfolio, and the payments in the order in which they will be made."""
    now = _now(bench.owner)
    with bench.home.database() as db:
        policies = population.publish_policies(db, bench.partner, now)
    devices = [(meter.serial, meter.address) for meter in bench.town.park.meters]
    later = timedelta(days=5)
    broadband, power = each
    off = broadband // 2
    plans = (
        Plan(LOAD, load_cases, WAITING),
        Plan(BROADBAND, off, CUT, driver="radius", level="off", wakes_in=later, tables=CUT_OFF),
        Plan(BROADBAND + off, broadband - off, LIMITED, driver="radius", level="walled_garden", wakes_in=later,
             tables=CUT_OFF),
        Plan(POWER, power, CUT, "electricity_grid", "dlms", "off", later, devices, CUT_OFF),
    )  # fmt: skip
    with bench.home.filling() as filling:
        for plan in plans:
            population.fill(filling, bench.partner, policies[plan.kind], plan, now)
        bare.fill(bench.owner, filling, now)
        bench.asleep = put_to_sleep(filling, {bench.partner: policies["broadband"]}, now=now)
        payments = _in_order(bench, broadband, power)
        population.add_checkouts(filling, bench.partner, {p.account: p.ref for p in payments}, now)
        population.settle_down(filling)
    for number in range(broadband):
        bench.town.move_in(f"user-{BROADBAND + number}", "off" if number < off else "walled_garden")
    bench.town.watch()
    return payments


def _in_order(bench: Bench, broadband: int, power: int) -> list[Payment]:
    """First some of each to warm up, then both spread evenly; of broadband one that is off, one in the garden."""
    by_turns = sorted(range(broadband), key=lambda number: number % max(broadband // 2, 1))
    lines = [Payment(account, _checkout(bench, account)) for account in (BROADBAND + number for number in by_turns)]
    meters = [Payment(POWER + number, _checkout(bench, POWER + number), number) for number in range(power)]
    warm = [payment for pair in zip(lines[:_WARM_UP], meters[:_WARM_UP], strict=True) for payment in pair]
    places = [((at + 0.5) / len(kind), payment) for kind in (lines[_WARM_UP:], meters[_WARM_UP:])
              for at, payment in enumerate(kind)]  # fmt: skip
    return [*warm, *(payment for _, payment in sorted(places, key=lambda place: place[0]))]


def _checkout(bench: Bench, account: int) -> str:
    order = Order(f"bench-{account}", population.AMOUNT, "NOK", "Nordlys", str(account), "https://nordlys.example/p/")
    return bench.provider.create(order).provider_ref


def _pay_all(bench: Bench, payments: list[Payment]) -> None:
    begin = time.monotonic()
    with ThreadPoolExecutor(_SENDERS, "provider") as senders:
        paying = []
        for at, payment in enumerate(payments):
            time.sleep(max(0.0, begin + at / bench.rate - time.monotonic()))
            paying.append(senders.submit(bench.pay, payment))
            _press_button(bench, payments[at - _BUTTON_AFTER] if at >= _BUTTON_AFTER else None)
    bench.beside += sum(one.result() for one in paying)
    with suppress(TimeoutError):  # who is not back is counted as lost
        wait_until(lambda: not _unfinished(bench, payments), "everybody's light", seconds=_BACK_WITHIN_SECONDS)


def _press_button(bench: Bench, payment: Payment | None) -> None:
    if payment is not None and payment.meter is not None:
        bench.town.park.meters[payment.meter].press_button()


def _unfinished(bench: Bench, payments: list[Payment]) -> int:
    accounts = [payment.account for payment in payments]
    found = bench.owner.execute(SQL.unfinished, {"partner": bench.partner, "accounts": accounts}).fetchone()
    return found[0] if found else 0


def _result(
    bench: Bench, payments: list[Payment], load: Load, others: Beside, raw: Mapping[str, Any]
) -> dict[str, Any]:
    broadband = [payment for payment in payments if payment.meter is None]
    power = [payment for payment in payments if payment.meter is not None]
    ways = _ways(bench, "%re-authentication%", ["full"], broadband) | _ways(bench, "%", ["ready", "full"], power)
    heard = {int(name.removeprefix("user-")): at for name, at in bench.town.radius_heard().items()}
    heard |= {p.account: at for p in power if (at := bench.town.meter_heard(p.meter or 0)) is not None}
    back = [payment for payment in payments if ways[payment.account][2] is not None]
    inside = percentiles([_ms(heard[p.account] - ways[p.account][0]) for p in payments if p.account in heard])
    return {
        "runs": len(broadband),
        "power": len(power),
        "rate": bench.rate,
        "inside_ms": inside,
        "broadband_ms": percentiles([_ms(ways[p.account][2] - bench.sent[p.account]) for p in back if p.meter is None]),
        "power_ms": percentiles([_ms(ways[p.account][2] - bench.sent[p.account]) for p in back if p.meter is not None]),
        "attempt_ms": percentiles([_ms(ways[p.account][1] - ways[p.account][0]) for p in back]),
        **raw,
        "ratio": share(raw["raw_inside_ms"], inside),
        "lost": len(payments) - len(back),
        "repeated": sum(ways[p.account][3] > 1 for p in payments),
        "load": {
            "cases": load.count,
            "decided": load.decided,
            "per_second": round(load.decided / load.seconds),
            "beside": bench.beside,
            "messages": _messages(bench, payments),
            "also": others.done,
        },
        **({"asleep": bench.asleep} if bench.asleep else {}),
        "machine": machine(bench.owner),
    }


def _messages(bench: Bench, payments: list[Payment]) -> int:
    """Messages that left in the meantime: receipts, "you are back", and the load's reminders in contact hours."""
    params = {"partner": bench.partner, "since": bench.sent[payments[0].account]}
    found = bench.owner.execute(SQL.messages, params).fetchone()
    return found[0] if found else 0


def _ways(bench: Bench, proof: str, observed: list[str], payments: list[Payment]) -> dict[int, tuple[Any, ...]]:
    """By account: webhook heard, attempt started, level proven, number of attempts."""
    accounts = [payment.account for payment in payments]
    params = {"partner": bench.partner, "accounts": accounts, "proof": proof, "observed": observed}
    return {row[0]: row[1:] for row in bench.owner.execute(SQL.restores, params).fetchall()}


def _ms(span: timedelta) -> float:
    return span / timedelta(milliseconds=1)


def _now(owner: psycopg.Connection) -> datetime:
    found = owner.execute("SELECT clock_timestamp()").fetchone()
    assert found is not None
    return found[0]
