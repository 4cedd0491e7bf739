"""`relight bench simulate`: a what-if of one policy on made-up customers, all guards and law packs on, on all cores.

A counted decision is a call of `decide` on a case; what it costs to live the days between them (facts, releases with
their guards, payments, customers) is in its price, and so is making the customers up. Half the portfolio goes first,
so that time and memory can be told to grow, or not to. Beside it, in the place of a raw limit, `decide` alone: the very
turns of some households once more, with the facts at hand.
"""

import os
import platform
import resource
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from unittest.mock import patch

from relight.core.decide import decide
from relight.core.decision import Decision
from relight.core.facts import CaseFacts
from relight.core.law import Law
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_text
from relight.core.simulate.parts import Part, parts, work
from relight.core.simulate.parts import run as run_parts
from relight.core.simulate.portfolio import Spec
from relight.core.simulate.totals import Totals

POLICY = "broadband-no"
START, DAYS, SEED = date(2027, 1, 4), 365, 1
_SAMPLE = 100
_ROUNDS = 5

News = Callable[[str], None]
Turn = tuple[Policy, Law, CaseFacts, datetime]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a portfolio: its sums, seconds by the clock, seconds of processors, and the largest process in MB."""

    totals: Totals
    seconds: float
    cpu: float
    peak_mb: int


def run(*, accounts: int = 20_000, news: News = print) -> dict[str, Any]:
    """Simulate a year of so many accounts; the contract's JSON (DESIGN § 9) and more."""
    alone = _decide_alone(news)
    news(f"half of it: {accounts // 2:,} accounts …")
    half = _measured(accounts // 2)
    news(f"all of it: {accounts:,} accounts …")
    whole = _measured(accounts)
    return {
        "decisions_per_second_per_core": round(whole.totals.decisions / whole.cpu),
        "account_years": round(accounts * DAYS / 365),
        "seconds": round(whole.seconds, 2),
        "peak_mb": whole.peak_mb,
        "decide_alone_per_second": alone,
        "account_years_per_second": round(accounts * DAYS / 365 / whole.seconds),
        "decisions": whole.totals.decisions,
        "twice_the_accounts": {
            "cpu": round(whole.cpu / half.cpu, 2),
            "seconds": round(whole.seconds / half.seconds, 2),
            "peak_mb_half": half.peak_mb,
        },
        "machine": {
            "load_average": round(os.getloadavg()[0], 1),
            "cores": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
        },
    }


def in_text(result: Mapping[str, Any]) -> str:
    """The result for people."""
    twice = result["twice_the_accounts"]
    return (
        f"{result['account_years']:,} account-years in {result['seconds']} s on {result['machine']['cores']} cores:"
        f" {result['decisions_per_second_per_core']:,} decisions a second and core"
        f" (decide alone: {result['decide_alone_per_second']:,}),"
        f" {result['peak_mb']} MB at most ({twice['peak_mb_half']} with half the accounts);"
        f" twice the accounts took {twice['cpu']} times the processor time."
    )


def _measured(accounts: int) -> Run:
    began, before = time.monotonic(), _cpu()
    spec = Spec(accounts, START, DAYS, SEED)
    with ProcessPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as executor:
        totals = run_parts(executor, parts(packaged_text(POLICY), "", spec))
    if totals.accounts != accounts:
        raise RuntimeError(f"{totals.accounts} accounts were simulated, not {accounts}")
    seconds = time.monotonic() - began
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
    return Run(totals, seconds, _cpu() - before, round(peak / 1024))


def _cpu() -> float:
    """Seconds of processors that ended children have used, and we."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def _decide_alone(news: News) -> int:
    """Calls of `decide` a second in one process, on turns that households really came to; the best of some rounds."""
    turns: list[Turn] = []

    def keep(policy: Policy, law: Law, facts: CaseFacts, now: datetime) -> Decision:
        turns.append((policy, law, facts, now))
        return decide(policy, law, facts, now)

    with patch("relight.core.simulate.life.decide", keep):
        work(Part(packaged_text(POLICY), "", Spec(_SAMPLE, START, DAYS, SEED), 0, _SAMPLE))
    news(f"deciding {len(turns):,} turns alone …")
    spent = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        for turn in turns:
            decide(*turn)
        spent.append(time.process_time() - began)
    return round(len(turns) / min(spent))
