"""A compiled policy: when to ask, warn, cut and hand over, as frozen data that `decide` walks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from relight.core import actions
from relight.core.actions import Action, Tone
from relight.core.conditions import ALWAYS, Condition
from relight.core.plans.terms import PlanTerms, PromiseTerms
from relight.core.rules.acts import Act, acts_in
from relight.core.spans import Span
from relight.core.windows import Window

Base = Literal["due", "previous"]
Approval = Literal["none", "person", "two_people"]
CaseEnd = Literal["zero", "past_due", "latest_claim"]
HoldScope = Literal["claim", "case", "service", "party"]
Debtor = Literal["consumer", "business"]
Actor = Literal["grid_company", "supplier", "network", "agency"]

_PLAN, _PROMISE = PlanTerms(), PromiseTerms()
STANDARD_PROFILE = "standard"
_NO_PART = 1 << 16  # beyond all parts
# What a day was counted for: which count, a calendar's hash, a step's name, base, term, delay.
DayKey = tuple[Literal["first", "term", "opens"], str, str, date, date | None, Span | None]


@dataclass(frozen=True, slots=True)
class Opens:
    """When arrears become a case: a claim overdue this long, and at least this much owed in minor units."""

    overdue: Span
    arrears_min: int | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """When messages may go, and how many a customer may get in any seven days."""

    window: Window
    max_per_7_days: int


@dataclass(frozen=True, slots=True)
class Profile:
    """How hard to press: steps that are left out, the tone, and extra time before every step."""

    skip: frozenset[str] = frozenset()
    tone: Tone | None = None
    delay: Span | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A way on from a step: to `step`, when the condition holds."""

    when: Condition
    step: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `after` counts from the due date for the first step, else from the completion of the one before.

    `next` is None when the file says nothing (the following step comes next), and empty when the road ends here.
    """

    name: str
    after: Span
    base: Base
    when: Condition = ALWAYS
    window: Window | None = None
    approval: Approval = "none"
    do: tuple[Action, ...] = ()
    next: tuple[Branch, ...] | None = None
    cuts: bool = field(init=False, repr=False, compare=False)
    burdens: bool = field(init=False, repr=False, compare=False)
    hands_over: bool = field(init=False, repr=False, compare=False)
    notifies: bool = field(init=False, repr=False, compare=False)
    first_supply: int = field(init=False, repr=False, compare=False)
    acts: tuple[Act, ...] = field(init=False, repr=False, compare=False)
    act_names: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """`cuts`: whether the step takes a service away, wholly or in part. `burdens`: whether it cuts, charges a fee
        or hands over, and so rests only on undisputed, noticed claims. `notifies`: whether it sends a message.
        `first_supply`: the part that first sets a service to a level, or `_NO_PART`. `acts`: what it does in law."""
        supplies = [part for part, action in enumerate(self.do) if isinstance(action, actions.SupplyAction)]
        object.__setattr__(self, "first_supply", min(supplies, default=_NO_PART))
        object.__setattr__(self, "cuts", any(actions.cuts(action) for action in self.do))
        object.__setattr__(self, "hands_over", any(isinstance(action, actions.HandoverAction) for action in self.do))
        object.__setattr__(self, "burdens", any(actions.burdens(action) for action in self.do))
        object.__setattr__(self, "notifies", any(isinstance(one, actions.MessageAction) for one in self.do))
        object.__setattr__(self, "acts", acts_in(self.do))
        object.__setattr__(self, "act_names", frozenset(act.name for act in self.acts))


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy. `hash` is of its content, not its layout; amounts are minor units of `currency`."""

    name: str
    hash: str
    country: str
    currency: str
    services: frozenset[str]
    debtor: Debtor
    actor: Actor
    laws: tuple[str, ...]
    opens: Opens
    restore_when: CaseEnd
    close_when: CaseEnd
    steps: tuple[Step, ...]
    contact: Contact
    settle: Span
    gap: Span
    late_interest: bool = False  # notices name late interest, which from then on is claimed
    holds: Mapping[str, HoldScope] = field(default_factory=dict[str, HoldScope], hash=False)
    profiles: Mapping[str, Profile] = field(default_factory=dict[str, Profile], hash=False)
    plans: Mapping[str, PlanTerms] = field(default_factory=dict[str, PlanTerms], hash=False)
    promise: PromiseTerms = field(default=_PROMISE)
    by_name: Mapping[str, Step] = field(init=False, repr=False, compare=False)  # the steps
    kept_days: dict[DayKey, date] = field(init=False, repr=False, compare=False)  # what `waits` has counted once
    kept_terms: dict[tuple[str, str], Span | None] = field(init=False, repr=False, compare=False)
    _places: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _ways: Mapping[str, tuple[Branch, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """What is looked up with every decision."""
        object.__setattr__(self, "by_name", {step.name: step for step in reversed(self.steps)})
        object.__setattr__(self, "_places", {step.name: n for n, step in reversed([*enumerate(self.steps)])})
        following = [(Branch(ALWAYS, step.name),) for step in self.steps[1:]]
        ways = {s.name: s.next if s.next is not None else w for s, w in zip(self.steps, [*following, ()], strict=True)}
        object.__setattr__(self, "_ways", ways)
        object.__setattr__(self, "kept_days", {})
        object.__setattr__(self, "kept_terms", {})

    @property
    def first(self) -> Step:
        """The step that follows the due date."""
        return self.steps[0]

    def step(self, name: str) -> Step:
        """The step of that name; raises KeyError."""
        return self.by_name[name]

    def index(self, name: str) -> int:
        """Where the step stands in the file, from 0; raises KeyError."""
        return self._places[name]

    def successors(self, step: Step) -> tuple[Branch, ...]:
        """The ways on from a step, to be tried in order: the first that holds is taken; empty where the road ends."""
        return step.next if step.next is not None else self._ways[step.name]

    def hold_scope(self, reason: str) -> HoldScope:
        """How far a hold for that reason reaches; the whole case when the policy does not say."""
        return self.holds.get(reason, "case")

    def plan(self, name: str) -> PlanTerms:
        """The plan template of that name; the usual one where the policy says nothing of it."""
        return self.plans.get(name, _PLAN)

    def profile(self, name: str) -> Profile:
        """The profile of that name; one that the policy does not mention changes nothing."""
        return self.profiles.get(name, _STANDARD)


_STANDARD = Profile()
