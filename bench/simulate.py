"""`relight bench simulate`: a what-if of one policy on made-up customers, all guards and law packs on, on all cores.

A counted decision is a call of `decide` on a case; what it costs to live the days between them (facts, releases with
their guards, payments, customers) is in its price, and so is making the customers up. Half the portfolio goes before
and after the whole one, so that time and memory can be told to grow, or not to, though the machine's other work comes
and goes. Beside it, in the place of a raw limit, `decide` alone: the very turns of some households once more, with the
facts at hand. All on the compiled core where there is one, as what-ifs run.
"""

import io
import os
import pickle
import platform
import resource
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, is_dataclass
from datetime import date, datetime
from importlib import import_module
from multiprocessing import Barrier
from multiprocessing.synchronize import Barrier as BarrierType
from typing import Any
from unittest.mock import patch

from relight.cli import compiled
from relight.core.decide import decide
from relight.core.decision import Decision
from relight.core.facts import CaseFacts
from relight.core.law import Law
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_text
from relight.core.records import by_fields
from relight.core.simulate.parts import parts, work
from relight.core.simulate.parts import run as run_parts
from relight.core.simulate.portfolio import Spec
from relight.core.simulate.totals import Totals

POLICY = "broadband-no"
START, DAYS, SEED = date(2027, 1, 4), 365, 1
_SAMPLE = 100
_ROUNDS = 5
_READY_WITHIN = 60

News = Callable[[str], None]
Turn = tuple[CaseFacts, datetime]
Use = Callable[[], compiled.Core]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a portfolio: its sums, seconds by the clock, those of them before the first part began, seconds of
    processors, and the largest process in MB."""

    totals: Totals
    seconds: float
    start_up: float
    cpu: float
    peak_mb: int

    @property
    def per_second(self) -> int:
        """Decisions a second of a processor."""
        return round(self.totals.decisions / self.cpu)

    @property
    def working(self) -> float:
        """Seconds by the clock from the first part on."""
        return self.seconds - self.start_up

    def as_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "accounts": self.totals.accounts,
            "seconds": round(self.seconds, 2),
            "start_up_seconds": round(self.start_up, 2),
            "cpu_seconds": round(self.cpu, 2),
            "decisions_per_second_per_core": self.per_second,
        }


def run(*, accounts: int = 20_000, plain: bool = False, news: News = print) -> dict[str, Any]:
    """Simulate a year of so many accounts; the contract's JSON (DESIGN § 9) and more. `plain`: without the compiled
    core, though there may be one."""
    use = compiled.running if plain else compiled.use
    core, alone = _decide_alone(use, news)
    first, whole, last = (_measured(count, use, news) for count in (accounts // 2, accounts, accounts // 2))
    return {
        "core": core,
        "decisions_per_second_per_core": whole.per_second,
        "account_years": round(accounts * DAYS / 365),
        "seconds": round(whole.seconds, 2),
        "start_up_seconds": round(whole.start_up, 2),
        "peak_mb": whole.peak_mb,
        "decide_alone_per_second": alone,
        "account_years_per_second": round(accounts * DAYS / 365 / whole.seconds),
        "decisions": whole.totals.decisions,
        "twice_the_accounts": _twice(first, whole, last),
        "runs": [one.as_data() for one in (first, whole, last)],
        "machine": {
            "load_average": round(os.getloadavg()[0], 1),
            "cores": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
        },
    }


def _twice(first: Run, whole: Run, last: Run) -> dict[str, float]:
    """What the whole took beside the mean of its halves before and after. The clock counts from the first part on:
    starting processes takes as long for few as for many."""
    return {
        "cpu": round(2 * whole.cpu / (first.cpu + last.cpu), 2),
        "seconds": round(2 * whole.working / (first.working + last.working), 2),
        "peak_mb_half": first.peak_mb,
    }


def in_text(result: Mapping[str, Any]) -> str:
    """The result for people."""
    twice = result["twice_the_accounts"]
    return (
        f"With the {result['core']} core,"
        f" {result['account_years']:,} account-years in {result['seconds']} s on {result['machine']['cores']} cores:"
        f" {result['decisions_per_second_per_core']:,} decisions a second and core"
        f" (decide alone: {result['decide_alone_per_second']:,}),"
        f" {result['peak_mb']} MB at most ({twice['peak_mb_half']} with half the accounts);"
        f" twice the accounts took {twice['cpu']} times the processor time and {twice['seconds']} times as long."
    )


def _measured(accounts: int, use: Use, news: News) -> Run:
    news(f"{accounts:,} accounts …")
    began, before, cores = time.monotonic(), _cpu(), len(os.sched_getaffinity(0))
    together = Barrier(cores)
    with ProcessPoolExecutor(cores, initializer=_get_ready, initargs=(use, together)) as executor:
        executor.submit(os.getpid).result()  # whoever answers was ready, and all get ready together
        start_up = time.monotonic() - began
        totals = run_parts(executor, parts(packaged_text(POLICY), "", Spec(accounts, START, DAYS, SEED)))
    if totals.accounts != accounts:
        raise RuntimeError(f"{totals.accounts} accounts were simulated, not {accounts}")
    seconds = time.monotonic() - began
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
    return Run(totals, seconds, start_up, _cpu() - before, round(peak / 1024))


def _get_ready(use: Use, together: BarrierType) -> None:
    """In a new process: take a core, read the policy, the law and the calendar, and wait for the others."""
    use()
    _core("simulate.parts").work(_part(accounts=1))
    together.wait(_READY_WITHIN)


def _part(accounts: int) -> Any:
    spec = _core("simulate.portfolio").Spec(accounts, START, DAYS, SEED)
    return _core("simulate.parts").Part(packaged_text(POLICY), "", spec, 0, accounts)


def _core(name: str) -> Any:
    """A module of the core that this process has taken, which may be another than the one that this file imports."""
    return import_module(f"relight.core.{name}")


def _cpu() -> float:
    """Seconds of processors that ended children have used, and we."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def _decide_alone(use: Use, news: News) -> tuple[compiled.Core, int]:
    """Which core is used, and calls of `decide` a second in one process, on turns that households really came to."""
    turns: list[Turn] = []

    def keep(policy: Policy, law: Law, facts: CaseFacts, now: datetime) -> Decision:
        turns.append((facts, now))
        return decide(policy, law, facts, now)

    with patch("relight.core.simulate.life.decide", keep):
        work(_part(_SAMPLE))
    news(f"deciding {len(turns):,} turns alone …")
    with ProcessPoolExecutor(1, initializer=use) as executor:
        return executor.submit(compiled.running).result(), executor.submit(_alone, _packed(turns)).result()


class _Packer(pickle.Pickler):
    """Packs records by their fields, so that classes of another core can be made of them."""

    def reducer_override(self, one: Any, /) -> Any:
        return by_fields(one) if is_dataclass(one) and not isinstance(one, type) else NotImplemented


def _packed(turns: list[Turn]) -> bytes:
    packed = io.BytesIO()
    _Packer(packed).dump(turns)
    return packed.getvalue()


def _alone(packed: bytes) -> int:
    """Calls of `decide` a second in this process; the best of some rounds."""
    turns: list[Turn] = pickle.loads(packed)  # noqa: S301 - our own bytes
    decide_, law = _core("decide").decide, _core("rules.lawbook").packaged_law()
    policy = _core("policy_reader").read_policy(packaged_text(POLICY))
    spent = list[float]()
    for _ in range(_ROUNDS):
        began = time.process_time()
        for facts, now in turns:
            decide_(policy, law, facts, now)
        spent.append(time.process_time() - began)
    return round(len(turns) / min(spent))
