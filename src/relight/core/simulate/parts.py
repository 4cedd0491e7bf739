"""A what-if in parts: households by the thousand, on any `concurrent.futures.Executor`, added up in any order.

A part carries texts and numbers, so that it can be sent to a process or another host; each place compiles the policy
once.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import dataclass
from functools import lru_cache

from relight.core.findings import Findings
from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.core.rules.lawbook import packaged_law
from relight.core.simulate.customers import Model, read_model
from relight.core.simulate.portfolio import Household, Spec, households
from relight.core.simulate.run import simulate
from relight.core.simulate.totals import Totals

PART = 500


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a portfolio: made up from `spec` (numbers `first` to `last`), or `own` households as they stand."""

    policy: str
    customers: str
    spec: Spec
    first: int = 0
    last: int = 0
    own: tuple[Household, ...] = ()


def parts(policy: str, customers: str, spec: Spec, own: Sequence[Household] = ()) -> Iterator[Part]:
    """A portfolio in parts."""
    count = len(own) or spec.accounts
    for first in range(0, count, PART):
        last = min(first + PART, count)
        yield Part(policy, customers, spec, first, last, tuple(own[first:last]))


def work(part: Part) -> Totals:
    """One part to its end. Raises ValueError for a policy that cannot be read."""
    policy, model = _policy(part.policy), _model(part.customers)
    people = part.own or households(part.spec, policy, model, part.first, part.last)
    return simulate(
        policy, packaged_law(), people, model, start=part.spec.start, days=part.spec.days, seed=part.spec.seed
    )


def run(executor: Executor, todo: Sequence[Part], on_part: Callable[[int], None] | None = None) -> Totals:
    """All parts, added up; `on_part` is told how many are done. The first failure ends it."""
    waiting: list[Future[Totals]] = [executor.submit(work, part) for part in todo]
    totals = Totals()
    try:
        for done, future in enumerate(as_completed(waiting), 1):
            totals.add(future.result())
            if on_part is not None:
                on_part(done)
    finally:
        for future in waiting:
            future.cancel()
    return totals


@lru_cache(maxsize=8)
def _policy(text: str) -> Policy:
    read = read_policy(text)
    if isinstance(read, Findings):
        raise ValueError(str(read))
    return read


@lru_cache(maxsize=8)
def _model(text: str) -> Model:
    return read_model(text)
