"""How the demo's customers behave: a habit is a short list of what sets somebody off, what they do then, and how soon.

Plain data, read by `lives`. Most people pay; the others are those that the road is for.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

ASKED = frozenset({"friendly_reminder", "reminder", "disconnect_notice", "contact_attempt"})
WARNED = frozenset({"reminder", "disconnect_notice"})
TAKEN = frozenset({"walled_garden", "limited", "off"})
CUT = frozenset({"off"})
INVOICED = frozenset({"invoice"})


class Do(StrEnum):
    """What a customer can do."""

    CARD = "card"  # follow the link in the message and pay by card: there at once
    BANK = "bank"  # pay what is open in the bank, by KID: there the next banking day
    BANK_AGAIN = "bank again"  # somebody else at home pays the same paper bill, paid or not
    ANSWER = "answer"  # write back


@dataclass(frozen=True, slots=True)
class Reaction:
    """The `nth` time that one of `to` happens (a message's template, a level, an invoice): do it between two delays.

    For an invoice, the delays count from its due date. `percent` of what is open is paid; `every` time, or once.
    """

    to: frozenset[str]
    do: Do
    soonest: timedelta
    latest: timedelta
    nth: int = 1
    percent: int = 100
    every: bool = False
    text: str = ""


def _days(count: float) -> timedelta:
    return timedelta(days=count)


def _hours(count: float) -> timedelta:
    return timedelta(hours=count)


@dataclass(frozen=True, slots=True)
class Habit:
    """A way to treat bills, how many in a hundred are like that, and whether older bills lie unpaid already."""

    name: str
    share: int
    reactions: tuple[Reaction, ...]
    has_older_bills: bool = False


_PAYS_IN_TIME = Reaction(INVOICED, Do.BANK, _days(-4), _hours(-6), every=True)

HABITS = (
    Habit("punctual", 38, (_PAYS_IN_TIME,)),
    Habit("a few days late", 8, (Reaction(INVOICED, Do.BANK, _days(1), _days(6), every=True),)),
    Habit("forgetful", 15, (Reaction(ASKED, Do.CARD, _hours(0.1), _hours(30), every=True),)),
    Habit("forgetful, uses the bank", 6, (Reaction(ASKED, Do.BANK, _hours(1), _hours(40), every=True),)),
    Habit("short until pay-day", 7, (Reaction(ASKED, Do.CARD, _days(8), _days(14), every=True),)),
    Habit(
        "disputes", 3,
        (
            Reaction(
                ASKED, Do.ANSWER, _hours(1), _hours(20),
                text="Denne regningen stemmer ikke, jeg meldte flytting i vinter.",
            ),
            Reaction(ASKED, Do.BANK, _days(16), _days(20)),
        ),
    ),
    Habit(
        "in hardship", 4,
        (
            Reaction(
                ASKED, Do.ANSWER, _hours(1), _hours(30), nth=2,
                text="Jeg er permittert og kan ikke betale nå. Kan vi dele opp?",
            ),
            Reaction(ASKED, Do.BANK, _days(20), _days(26), nth=2, percent=50),
        ),
        has_older_bills=True,
    ),
    Habit("pays when limited", 5, (Reaction(TAKEN, Do.CARD, _hours(0.05), _hours(30)),), has_older_bills=True),
    Habit("pays when cut", 4, (Reaction(CUT, Do.CARD, _hours(0.1), _hours(48)),), has_older_bills=True),
    Habit(
        "pays half, and the rest when cut", 2,
        (
            Reaction(WARNED, Do.BANK, _days(1), _days(3), percent=50),
            Reaction(TAKEN, Do.CARD, _hours(1), _hours(20), nth=2),
        ),
        has_older_bills=True,
    ),
    Habit(
        "pays twice", 2,
        (Reaction(ASKED, Do.CARD, _hours(1), _hours(8)), Reaction(ASKED, Do.BANK_AGAIN, _hours(2), _hours(10))),
    ),
    Habit(
        "says it is paid, and pays later", 2,
        (
            Reaction(WARNED, Do.ANSWER, _hours(1), _hours(5), text="Betalt"),
            Reaction(WARNED, Do.BANK, _days(6), _days(9)),
        ),
    ),
    Habit(
        "wants no messages", 1,
        (Reaction(ASKED, Do.ANSWER, _hours(0.5), _hours(3), text="STOPP"),),
        has_older_bills=True,
    ),
    Habit("never pays", 3, (), has_older_bills=True),
)  # fmt: skip

VISITOR = Habit("yours: never pays by herself", 0, (), has_older_bills=True)
