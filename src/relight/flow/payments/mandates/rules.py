"""What each scheme asks for, and what follows from a bank's no: read from `schemes.yaml`."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

from relight.core.spans import Span


class Retry(NamedTuple):
    """Try again `after` a span, or (None) on the next pay-day; at most so many `times`."""

    after: Span | None
    times: int


class Answer(NamedTuple):
    """What follows when a collection brought no money, or the money went back. `asks`: a person asks the customer;
    `tells`: where it is not tried again, the customer is told so."""

    retry: Retry | None = None
    ends_mandate: bool = False
    asks: bool = False
    tells: bool = False


class Scheme(NamedTuple):
    """A way to collect. `told_by`: who tells the customer before the day (`creditor`; `mandate`: the bank, unless the
    mandate says the creditor; `scheme`), `notice` how long before where it is the creditor; `closed` are days of the
    year (month, day) on which it rests besides the country's; `monthly`: files go in before the month begins."""

    name: str
    currency: str
    send_before: Span
    settle: Span
    recall_before: Span
    ahead: Span
    spare: Span
    told_by: str
    notice: Span | None
    monthly: bool
    closed: frozenset[tuple[int, int]]
    unanswered: Answer
    reasons: Mapping[str, Answer]

    def answer(self, reason: str) -> Answer:
        """What follows from a reason; one that nobody has a rule for is a person's to look at."""
        if reason == UNANSWERED:
            return self.unanswered
        return self.reasons.get(reason, Answer(asks=True))

    def creditor_tells(self, *, bank_notifies: bool) -> bool:
        """Whether the creditor must tell the customer of a collection by such a mandate."""
        return self.told_by == "creditor" or (self.told_by == "mandate" and not bank_notifies)


UNANSWERED = "unanswered"
_SPARE = "1 working days"


@cache
def schemes() -> Mapping[str, Scheme]:
    """All schemes by name."""
    return {name: _scheme(name, tree) for name, tree in _tree()["schemes"].items()}


@cache
def pay_day(country: str) -> int:
    """The day of the month on which most people there have their wages; 31 stands for the last one."""
    return int(_tree()["pay_days"].get(country, 1))


@cache
def _tree() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(files(__package__).joinpath("schemes.yaml").read_text("utf-8"))
    return found


def _scheme(name: str, tree: Mapping[str, Any]) -> Scheme:
    closed = [tuple(int(part) for part in day.split("-")) for day in tree.get("closed", ())]
    return Scheme(
        name=name,
        currency=tree["currency"],
        send_before=Span.parse(tree["send_before"]),
        settle=Span.parse(tree["settle"]),
        recall_before=Span.parse(tree["recall_before"]),
        ahead=Span.parse(tree["ahead"]),
        spare=Span.parse(tree.get("spare", _SPARE)),
        told_by=tree["told_by"],
        notice=Span.parse(tree["notice"]) if "notice" in tree else None,
        monthly=tree.get("monthly", False),
        closed=frozenset((month, day) for month, day in closed),
        unanswered=_answer(tree["unanswered"], tells=False),
        reasons={code: _answer(rule, tells=True) for code, rule in tree["reasons"].items()},
    )


def _answer(tree: Mapping[str, Any], *, tells: bool) -> Answer:
    given = tree.get("retry")
    retry = Retry(Span.parse(given["after"]) if "after" in given else None, given["times"]) if given else None
    return Answer(retry, tree.get("mandate") == "end", tree.get("ask", False), tree.get("tell", tells))
