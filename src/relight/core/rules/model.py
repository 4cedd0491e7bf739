"""A law pack: rules as frozen data. One object answers both: may this policy go live, and may this step be taken.

A rule says what it demands (one of twelve kinds), of which acts, for whom, under which section, from when, where that
was read and how sure we are. Amounts are minor units of the pack's currency.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from relight.core.spans import Span
from relight.core.windows import Window

Moment = Literal["sent", "received", "due", "completed"]
Enforce = Literal["block", "warn", "default", "off"]
Level = Literal["primary", "secondary", "none"]
Confidence = Literal["verified", "memory_high", "memory_uncertain", "unknown"]
CountFrom = Literal["sent", "received", "day_after_received"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule was read: statute or court text (primary), an authority's or trade's page (secondary), nowhere."""

    level: Level
    confidence: Confidence
    read: str = ""


@dataclass(frozen=True, slots=True)
class Applies:
    """For whom a rule holds; an empty set is all. `region`: a part of the country ("ENG"); `contract`: a kind."""

    debtor: frozenset[str] = frozenset()
    service: frozenset[str] = frozenset()
    actor: frozenset[str] = frozenset()
    region: frozenset[str] = frozenset()
    contract: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A moment that a time counts from: when an act was sent, received or completed, or when the claim was due."""

    of: str
    moment: Moment


@dataclass(frozen=True, slots=True)
class RequiresBefore:
    """Other acts must have come first, for each claim: `needs` in this order, the first of them `count` times.

    `ways`: in at least so many different ways; `channels`: on each of these; `each_term`: each gave at least that time
    to pay; `gap`: so much time between two of them; `expired`: the last one's time to pay has run out.
    """

    needs: tuple[str, ...]
    count: int = 1
    ways: int = 1
    channels: frozenset[str] = frozenset()
    each_term: Span | None = None
    gap: Span | None = None
    expired: bool = False
    together: bool = False  # may come in the same step


@dataclass(frozen=True, slots=True)
class MinElapsed:
    """So much time since the latest of the anchors. With `at_most`: no more than that, or it has to begin anew. `per`:
    whether an act counts for the claims that it covered, or for all that are owed."""

    since: tuple[Anchor, ...]
    span: Span | None = None
    at_most: Span | None = None
    per: Literal["claim", "arrears"] = "claim"


@dataclass(frozen=True, slots=True)
class MinDeadline:
    """The time to pay that the letter itself must give."""

    term: Span
    count_from: CountFrom = "sent"


@dataclass(frozen=True, slots=True)
class PlanBand:
    """How long an instalment plan runs, in months, for a debt of up to `upto` minor units, or of any."""

    upto: int | None
    shortest: int
    longest: int


@dataclass(frozen=True, slots=True)
class RequiredContent:
    """What the text must hold, in every language; `form` is "written" where a text message alone does not do. `plan`
    says how long the offered plan has to run."""

    elements: frozenset[str]
    form: str = ""
    plan: tuple[PlanBand, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """A state of affairs, all of it: so much owed, so many unpaid invoices, a person who confirms, flags at yes."""

    arrears_min: int | None = None
    claims_min: int | None = None
    person: bool = False
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RequiresState:
    """At least one of these states holds."""

    any_of: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class ForbiddenIf:
    """Never while one of the flags says yes; where nobody has looked, `unknown_blocks`."""

    flags: tuple[str, ...]
    unknown_blocks: bool = True


@dataclass(frozen=True, slots=True)
class ForbiddenWindow:
    """Never on these weekdays (0 is Monday), months, holidays or the days before them, or outside the `open` hours.

    With `if_flags`, only for those of whom one of the flags says yes or nobody knows.
    """

    weekdays: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    holidays: bool = False
    day_before_holiday: bool = False
    open: tuple[Window, ...] = ()
    if_flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForbiddenStep:
    """Not at all (`never`), or only within limits that engine and driver keep: `keep` these, touch nothing else."""

    never: bool = False
    only_unpaid_service: bool = False
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that may be charged from a day on; None where the figure is not known: then nothing may."""

    starts: date
    amount: int | None


@dataclass(frozen=True, slots=True)
class Band:
    """A slice of a principal above `over`: so many hundredths of a percent of it."""

    over: int
    upto: int | None
    basis_points: int


@dataclass(frozen=True, slots=True)
class MaxAmount:
    """The most that may be charged: nothing (`forbidden`), a cap by date, or a table of bands with a least and a most.

    `sum_max` within `sum_span` for one agreement whose instalments are below `sum_below`.
    """

    forbidden: bool = False
    caps: tuple[Cap, ...] = ()
    bands: tuple[Band, ...] = ()
    least: int = 0
    most: int | None = None
    sum_max: int | None = None
    sum_span: Span | None = None
    sum_below: int | None = None


@dataclass(frozen=True, slots=True)
class MaxCount:
    """At most so many of the targets together, per claim; `gap` between two of them."""

    count: int
    per: str = "claim"


@dataclass(frozen=True, slots=True)
class ObligationAfter:
    """After any of the triggers somebody must act, `within` a time where the law names one."""

    triggers: frozenset[str]
    within: Span | None = None


@dataclass(frozen=True, slots=True)
class DataScope:
    """What may be told to whom."""

    allowed: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()


Demand = (
    RequiresBefore
    | MinElapsed
    | MinDeadline
    | RequiredContent
    | RequiresState
    | ForbiddenIf
    | ForbiddenWindow
    | ForbiddenStep
    | MaxAmount
    | MaxCount
    | ObligationAfter
    | DataScope
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `targets` are the acts that it is about (see `acts`)."""

    id: str
    kind: str
    demand: Demand
    targets: frozenset[str]
    law: str
    source: Source
    applies: Applies = field(default_factory=Applies)
    valid_from: date | None = None
    valid_to: date | None = None
    enforce: Enforce = "block"
    note: str = ""

    def in_force(self, day: date) -> bool:
        """Whether the rule holds on a day: the law of the day of the act counts (law README, semantics 5)."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class LawPack:
    """A country's rules as of a day. `hash` is of the content; decisions keep it. A `pending` pack is no law yet."""

    name: str
    country: str
    currency: str
    as_of: date
    hash: str
    rules: tuple[Rule, ...]
    pending: bool = False
    tables: object = field(default=None, hash=False, compare=False)  # rates and tables, for those who book by them

    def rule(self, id_: str) -> Rule:
        """The rule of that id; raises KeyError."""
        for rule in self.rules:
            if rule.id == id_:
                return rule
        raise KeyError(id_)
