"""`relight bench effects`: text messages a second through one SMPP link, and restores beside an SMSC that takes 2 s.

The SMSC is the tests' counterpart, which Relight did not write. The raw limit is a client that keeps as many
`submit_sm` under way on one connection, ready-made, and looks at nothing but the answers' sequence numbers. The
restores are `relight bench restore`, twice: with an SMSC that answers at once, and with one that takes its time.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import restore
from bench.figures import in_words
from bench.smpp_raw import send_raw
from relight.drivers.smpp import SmppDriver
from relight.flow.effects.port import Attempt, Result
from relight.flow.messages.port import Channel, Inbound, Message, Receipt
from tests.counterparts.smsc import Smsc

_WINDOW = 50  # the driver's default
_AT_WORK = 200  # the bulk lane's slots: how many messages a worker has under way at once
_ROUNDS = 4
_SLOW_SECONDS = 2.0
_NOON = 12
_TEXT = "Hei! Vi mangler betaling for strømmen, kr 899. Betal her: https://nordlys.example/p/abcdefgh. Hilsen Nordlys"

News = Callable[[str], None]


def run(*, messages: int = 20_000, runs: int = 20, load_cases: int = 20_000, news: News = print) -> dict[str, Any]:
    """`messages` through one link and as many raw; then `runs` payments of each kind beside `load_cases` cases, with a
    quick and with a slow SMSC. Without `runs` only the link."""
    news(f"{messages:,} messages through one link, and as many raw …")
    with Smsc() as smsc:
        smsc.keep_quiet()
        spent, raw, receipts = asyncio.run(_by_turns(smsc, messages))
        if smsc.count() != 2 * messages:
            raise RuntimeError(f"the SMSC took {smsc.count()} messages, not {2 * messages}")
    return {
        "messages": messages,
        "messages_per_second": round(messages / spent),
        "raw_messages_per_second": round(messages / raw),
        "ratio": round(raw / spent, 3),
        "receipts": receipts,
        "window": _WINDOW,
        **({"restores": _beside(runs, load_cases, news)} if runs else {}),
    }


def in_text(result: Mapping[str, Any]) -> str:
    """The result for people."""
    lines = [
        f"{result['messages']:,} text messages through one SMPP link, a window of {result['window']},"
        f" {result['receipts']:,} receipts meanwhile.",
        f"  driver    {result['messages_per_second']:>8,} a second",
        f"  raw       {result['raw_messages_per_second']:>8,}",
        f"  ratio     {result['ratio']:>8.2f}",
    ]
    for name, found in result.get("restores", {}).items():
        lines += [
            f"restores beside a {name} SMSC ({found['messages']:,} messages left meanwhile; {found['lost']} not back):",
            in_words("inside, ms", found["inside_ms"]),
            in_words("broadband, to proven log-in, ms", found["broadband_ms"]),
        ]
    return "\n".join(lines)


async def _by_turns(smsc: Smsc, messages: int) -> tuple[float, float, int]:
    """Seconds of the driver and of the raw client, by turns, and how many receipts the driver was handed."""
    receipts = 0

    async def count(_: Receipt | Inbound) -> None:
        nonlocal receipts
        receipts += 1

    spent = raw = 0.0
    for number in range(_ROUNDS):
        share = messages // _ROUNDS + (number < messages % _ROUNDS)
        driver = SmppDriver({**smsc.settings, "window": _WINDOW})
        listening = asyncio.create_task(driver.listen(count))
        try:
            await _send_all(driver, 1)  # binds
            spent += await _send_all(driver, share - 1)
        finally:
            listening.cancel()
            await driver.aclose()
        raw += await send_raw(smsc.settings, share, window=_WINDOW, text=_TEXT)
    return spent, raw, receipts


async def _send_all(driver: SmppDriver, count: int) -> float:
    """Seconds for so many messages, each to a number of its own; raises RuntimeError when one is not accepted."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            message = Message(Channel.SMS, f"+479{number:07}", "Nordlys", "nb", "", _TEXT)
            attempt = Attempt(f"bench-{number}", 1, datetime.now(UTC) + timedelta(seconds=60))
            outcome = await driver.send(message, attempt)
            if outcome.result is not Result.DONE:
                raise RuntimeError(f"message {number} ended {outcome.result}: {outcome.detail}")

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(min(_AT_WORK, count)):
            group.create_task(work())
    return time.perf_counter() - began


def _beside(runs: int, load_cases: int, news: News) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, seconds in (("quick", 0.0), (f"{_SLOW_SECONDS:.0f}-second", _SLOW_SECONDS)):
        news(f"restores beside an SMSC that answers after {seconds:.0f} s …")
        with Smsc() as smsc:
            smsc.keep_quiet()
            smsc.answer_after(seconds)
            sms = {"driver": "smpp", **smsc.settings}
            result = restore.run(runs=runs, load_cases=load_cases, sms=sms, zone=_at_noon(), news=news)
            sent = smsc.count()
        keys = ("runs", "inside_ms", "raw_inside_ms", "ratio", "attempt_ms", "broadband_ms", "power_ms", "lost",
                "repeated", "machine")  # fmt: skip
        found[name] = {key: result[key] for key in keys} | {"messages": sent, "decided": result["load"]["decided"]}
    return found


def _at_noon() -> str:
    """A time zone in which it is about noon, when messages may go."""
    hours = datetime.now(UTC).hour - _NOON  # "Etc/GMT+3" lies three hours behind Greenwich
    return f"Etc/GMT{hours:+d}"
