"""A what-if in parts: households by the thousand, on any `concurrent.futures.Executor`, added up in any order.

A part carries texts and numbers, so that it can be sent to a process or another host; each place compiles the policy
once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from relight.core.findings import Findings
from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.core.rules.lawbook import packaged_law
from relight.core.simulate.customers import Model
from relight.core.simulate.customers_file import read_model
from relight.core.simulate.portfolio import Household, Spec, households
from relight.core.simulate.run import simulate
from relight.core.simulate.totals import Totals

PART = 250
AT_ONCE = 256  # parts on their way: enough for the cores of several hosts


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a portfolio: made up from `spec` (numbers `first` to `last`), or `own` households as they stand."""

    policy: str
    customers: str
    spec: Spec
    first: int = 0
    last: int = 0
    own: tuple[Household, ...] = ()


def parts(
    policy: str, customers: str, spec: Spec, own: Sequence[Household] = (), *, size: int = PART
) -> Iterator[Part]:
    """A portfolio in parts of `size` households."""
    count = len(own) or spec.accounts
    for first in range(0, count, size):
        last = min(first + size, count)
        yield Part(policy, customers, spec, first, last, tuple(own[first:last]))


def work(part: Part) -> Totals:
    """One part to its end. Raises ValueError for a policy that cannot be read."""
    policy, model = _policy(part.policy), _model(part.customers)
    people = part.own or households(part.spec, policy, model, part.first, part.last)
    return simulate(
        policy, packaged_law(), people, model, start=part.spec.start, days=part.spec.days, seed=part.spec.seed
    )


def run(executor: Executor, todo: Iterable[Part], on_part: Callable[[int], None] | None = None) -> Totals:
    """All parts, added up; `on_part` is told how many are done. The first failure ends it.

    Only so many are on their way at a time, so that memory does not grow with the portfolio.
    """
    coming, totals, done = iter(todo), Totals(), 0
    on_their_way: set[Future[Totals]] = set()
    try:
        while on_their_way := on_their_way | _submit(executor, islice(coming, AT_ONCE - len(on_their_way))):
            finished, on_their_way = wait(on_their_way, return_when=FIRST_COMPLETED)
            for future in finished:
                totals.add(future.result())
                done += 1
                if on_part is not None:
                    on_part(done)
    finally:
        for future in on_their_way:
            future.cancel()
    return totals


def _submit(executor: Executor, todo: Iterable[Part]) -> set[Future[Totals]]:
    return {executor.submit(work, part) for part in todo}


@lru_cache(maxsize=8)
def _policy(text: str) -> Policy:
    read = read_policy(text)
    if isinstance(read, Findings):
        raise ValueError(str(read))
    return read


@lru_cache(maxsize=8)
def _model(text: str) -> Model:
    return read_model(text)
