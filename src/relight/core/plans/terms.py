"""What plans and promises a policy lets people agree on: for how long, from when, and how late a part may come."""

from collections.abc import Iterable

from relight.core.records import record
from relight.core.spans import Span, Unit

STANDARD = "standard"


@record
class Months:
    """The fewest and the most months of a plan for a debt of up to `upto` minor units; None: of any."""

    upto: int | None
    shortest: int
    longest: int


@record
class PlanTerms:
    """A plan template. `least` is the smallest part in minor units; the first one is due within `first`; a part may
    come `grace` late, is told of `remind_days` before, and an offer stands for `valid`."""

    months: tuple[Months, ...] = (Months(None, 2, 12),)
    least: int = 0
    first: Span = Span(14, Unit.DAYS)
    grace: Span = Span(7, Unit.DAYS)
    remind_days: int = 3
    valid: Span = Span(30, Unit.DAYS)


@record
class PromiseTerms:
    """How far ahead a customer may promise to pay, and how often in one case."""

    longest: Span = Span(14, Unit.DAYS)
    times: int = 2


def months_offered(
    terms: PlanTerms, owed: int, *, stated: tuple[int, int] | None = None, law: tuple[int, int] | None = None
) -> tuple[int, int]:
    """The fewest and the most months to choose from for a debt of `owed` minor units.

    What a step states comes before the template; parts are never below the template's least. A law's months (the
    shortest and the longest that it names) are always among them, and nothing shorter than its shortest.
    """
    shortest, longest = stated or _of(terms.months, owed)
    if terms.least > 0:
        longest = max(1, min(longest, owed // terms.least))
        shortest = min(shortest, longest)
    if law is not None:
        shortest, longest = max(shortest, law[0]), max(longest, law[1])
        shortest = min(shortest, law[1])
    most = max(1, owed)  # a part is one minor unit at the least
    return min(shortest, most), min(longest, most)


def _of(bands: Iterable[Months], owed: int) -> tuple[int, int]:
    for band in bands:
        if band.upto is None or owed <= band.upto:
            return band.shortest, band.longest
    raise AssertionError("the last band is for any sum: the reader sees to it")
