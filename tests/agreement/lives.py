"""Lives drawn from a seed: a customer under a policy in any of six countries, and all that may happen to them.

A life is a list of happenings on days, so that it can be told again, and shrunk by leaving happenings out.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from relight.core.calendars import calendar_for
from relight.core.conditions import AllOf, AnyOf, Condition, Flags, Not
from relight.core.decision import Decision
from relight.core.facts import ClaimFacts, HoldFacts, PartnerFacts, PaymentFacts, ServiceFacts, ServiceShare
from relight.core.law import Law
from relight.core.levels import Level
from relight.core.policy import Policy
from relight.core.restore import RESTORE
from relight.core.rules.lawbook import LawBook
from relight.core.rules.model import ForbiddenIf, ForbiddenWindow, RequiresState
from tests.unit.core.history import Effect, History

ZONES = {"NO": "Europe/Oslo", "DK": "Europe/Copenhagen", "NL": "Europe/Amsterdam", "SE": "Europe/Stockholm",
         "DE": "Europe/Berlin", "GB": "Europe/London"}  # fmt: skip
PROTECTIVE = ("deceased", "medical", "complaint", "dispute")
HOLDS = ("manual", "plan", "dispute", "debt_help", "deceased", "complaint", "breathing_space", "medical")
LETTER_DAYS = 5
_FIRST_DAY = date(2024, 9, 1)  # before some of the packs' rules and rates are in force, and after others
_DAYS_OF_START = 365 * 9
_LENGTH = 190
_FAR = datetime(2059, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something on a day of the life, counted from its first; `number` picks which of several, and how much."""

    day: int
    what: str
    number: int


@dataclass(frozen=True, slots=True)
class Plot:
    """A life to be. `sums` are the first bills' principals, due one after another `apart` days apart."""

    start: date
    sums: tuple[int, ...]
    apart: int
    profile: str
    reach: tuple[str, ...]
    flags: tuple[tuple[str, str], ...]
    diligence: int  # hundredths of the days on which people do what waits for them
    letters_take: int  # days
    fails: int  # hundredths of the messages that do not arrive
    seed: int
    happenings: tuple[Happening, ...]


def draw_plot(seed: int, policy: Policy, book: LawBook) -> Plot:
    """A life under a policy. The flags are those that it or its law speaks of."""
    dice = Random(f"life-{seed}")
    often = dice.choice((0, 0, 3, 8, 15))
    return Plot(
        start=_FIRST_DAY + timedelta(days=dice.randrange(_DAYS_OF_START)),
        sums=tuple(dice.choice((9_000, 30_000, 60_000, 150_000, 400_000)) for _ in range(dice.choice((1, 2, 2, 3)))),
        apart=dice.choice((0, 0, 3, 14, 30)),
        profile=dice.choice(("", "", *policy.profiles)),
        reach=dice.choice((("email", "letter", "sms"), ("email", "letter", "sms"), ("letter",), ("email", "sms"))),
        flags=_flags(dice, policy, book),
        diligence=dice.choice((100, 100, 60, 25)),
        letters_take=dice.choice((0, LETTER_DAYS, LETTER_DAYS, 12)),
        fails=dice.choice((0, 0, 0, 4, 12)),
        seed=dice.randrange(1 << 30),
        happenings=_happenings(dice, often),
    )


def shrink(plot: Plot, still: Callable[[Plot], bool]) -> Plot:
    """The life with everything made plain and left out that is not needed for `still` to hold."""
    for happening in plot.happenings:
        smaller = dataclasses.replace(plot, happenings=tuple(h for h in plot.happenings if h is not happening))
        plot = smaller if still(smaller) else plot
    plain: tuple[dict[str, Any], ...] = (
        {"profile": ""}, {"fails": 0}, {"diligence": 100}, {"letters_take": 0}, {"sums": plot.sums[:1]}, {"apart": 0},
        {"reach": ("email", "letter", "sms")},
    )  # fmt: skip
    for change in plain:
        smaller = dataclasses.replace(plot, **change)
        plot = smaller if still(smaller) else plot
    return plot


def _flags(dice: Random, policy: Policy, book: LawBook) -> tuple[tuple[str, str], ...]:
    """Mostly as somebody would be who can be cut: what protects is no, what is demanded is yes."""
    protecting, demanded = spoken_of(policy, book)
    kind = dice.choice(("cuttable", "cuttable", "cuttable", "one_amiss", "one_amiss", "never_asked"))
    told = dict.fromkeys(sorted(protecting), "no") | dict.fromkeys(sorted(demanded), "yes")
    if kind == "never_asked":
        return ()
    if kind == "one_amiss" and told:
        told[dice.choice(sorted(told))] = dice.choice(("yes", "no", "unknown"))
    return tuple(told.items())


def spoken_of(policy: Policy, book: LawBook) -> tuple[frozenset[str], frozenset[str]]:
    """The flags that a policy and its law speak of: those that protect, and those that must be yes."""
    protecting, demanded = {"life_support", "danger_life", "complaint_open"}, set[str]()
    for step in policy.steps:
        for one in (step.when, *(branch.when for branch in policy.successors(step))):
            wanted, barred = _of_condition(one)
            protecting |= barred
            demanded |= wanted
        for rule in book.about(policy, step):
            match rule.demand:
                case ForbiddenIf(flags=names) | ForbiddenWindow(if_flags=names):
                    protecting |= set(names)
                case RequiresState(any_of=states):
                    demanded |= {name for state in states for name in state.flags}
                case _:
                    pass
    return frozenset(protecting - demanded), frozenset(demanded)


def _of_condition(condition: Condition) -> tuple[set[str], set[str]]:
    match condition:
        case Flags(quantifier="none", names=names):
            return set(), set(names)
        case Flags(names=names):
            return set(names), set()
        case AllOf(parts) | AnyOf(parts):
            found = [_of_condition(part) for part in parts]
            return set[str]().union(*(one for one, _ in found)), set[str]().union(*(one for _, one in found))
        case Not(part):
            return _of_condition(part)
        case _:
            return set(), set()


def _happenings(dice: Random, often: int) -> tuple[Happening, ...]:
    names = list(HAPPENINGS)
    drawn = [Happening(dice.randrange(_LENGTH), dice.choice(names), dice.randrange(1000)) for _ in range(often)]
    return tuple(sorted(drawn, key=lambda one: one.day))


class Life(History):
    """A history in a country of its own, in which letters take days and fees are charged."""

    plot: Plot
    dice: Random
    ends_at: datetime | None = None  # of a stop, or of the bank's silence

    @classmethod
    def begin(cls, policy: Policy, law: Law, plot: Plot) -> "Life":
        """At nine in the morning of the first day."""
        zone = ZoneInfo(ZONES[policy.country])
        now = datetime.combine(plot.start, time(9), zone).astimezone(UTC)
        partner = PartnerFacts(1, policy.country, policy.currency, zone, calendar_for(policy.country), frozenset(),
                               _FAR, 48, stopped=False, shadow=False)  # fmt: skip
        case = {"profile": plot.profile, "reach": frozenset(plot.reach), "flags": dict(plot.flags),
                "debtor": policy.debtor}  # fmt: skip
        made = cls(policy, now=now, law=law, partner=partner, case=case)
        made.plot, made.dice, made.answers = plot, Random(plot.seed), made.says
        for id_, kind in enumerate(sorted(policy.services), 1):
            made.services[id_] = ServiceFacts(id_, kind, Level.FULL, 0, None, Level.FULL, now, controllable=True)
        for number, amount in enumerate(plot.sums):
            made.comes_in(amount, plot.start + timedelta(days=number * plot.apart))
        return made

    def comes_in(self, amount: int, due: date) -> None:
        """An invoice for one of the services."""
        id_ = 1 + max([0, *self.claims, *(claim.claim_id for step in self.steps.values() for claim in step.claims)])
        service_id = 1 + id_ % len(self.services) if len(self.services) > 1 else 1
        shares = (ServiceShare(service_id, amount),)
        self.claims[id_] = ClaimFacts(id_, f"F{id_:03}", amount, 0, 0, due, shares)
        if self.case["state"] == "closed":
            self.case["state"] = "watching"
        self.wake()

    def says(self, effect: Effect) -> str:
        """How the outside answers."""
        if effect.draft.kind == "message" and self.dice.randrange(100) < self.plot.fails:
            return self.dice.choice(("given_up", "refused", "again"))
        return "done"

    def today(self) -> date:
        """The local day."""
        return self.now.astimezone(self.partner.zone).date()

    def _end(self, effect_id: int, state: str, why: str) -> None:
        super()._end(effect_id, state, why)
        effect = self.effects[effect_id]
        if state == "done" and effect.facts.channel == "letter":
            arrives = self.now + timedelta(days=self.plot.letters_take)
            effect.facts = dataclasses.replace(effect.facts, finished_at=arrives)

    def _apply(self, decision: Decision) -> None:
        super()._apply(decision)
        for fee in decision.fees:
            claim = self.claims[fee.claim_id]
            self.claims[fee.claim_id] = dataclasses.replace(claim, costs=claim.costs + fee.amount)

    def pay_in(self, amount: int, claim_id: int) -> None:
        """Money on a claim: principal first, then costs; nothing of it is left when both are paid."""
        claim = self.claims[claim_id]
        principal = claim.principal - min(amount, claim.principal)
        costs = claim.costs - min(max(0, amount - claim.principal), claim.costs)
        if principal or costs:
            shares = tuple(ServiceShare(share.service_id, principal) for share in claim.shares)
            self.claims[claim_id] = dataclasses.replace(
                claim, principal=principal, costs=costs, disputed=min(claim.disputed, principal), shares=shares
            )
        else:
            del self.claims[claim_id]
        id_ = len(self.payments) + 1
        self.payments[id_] = PaymentFacts(id_, amount, "confirmed", self.now, noted=False)
        self.wake()

    def pause(self, reason: str, days: int, *, claim_id: int | None = None, service_id: int | None = None,
              amount: int | None = None) -> None:  # fmt: skip
        """A hold that begins now."""
        id_ = len(self.holds) + 1
        ends_at = self.now + timedelta(days=days)
        self.holds[id_] = HoldFacts(id_, reason, claim_id, service_id, amount, self.now, ends_at, reason in PROTECTIVE)
        self.wake()

    def people_work(self) -> None:
        """People at their desks: calls are made, offers sent, approvals given, on some days."""
        if self.ends_at is not None and self.ends_at <= self.now:
            self.partner = dataclasses.replace(self.partner, stopped=False, money_complete_until=_FAR)
            self.ends_at = None
        for at, (code, number, task) in enumerate(self.tasks):
            if task.state == "open" and self.dice.randrange(100) < self.plot.diligence:
                self.tasks[at] = (code, number, dataclasses.replace(task, state="done", done_at=self.now))
                self.wake()
        if self.dice.randrange(100) < self.plot.diligence:
            self.approve()


def live(policy: Policy, law: Law, plot: Plot) -> Life:
    """A whole life: happenings on their days, and people at their desks on every day."""
    life = Life.begin(policy, law, plot)
    coming = list(plot.happenings)
    for day in range(_LENGTH):
        while coming and coming[0].day <= day:
            one = coming.pop(0)
            HAPPENINGS[one.what](life, one.number)
        life.people_work()
        life.days(1)
    return life


# -- what happens


def _claim(life: Life, number: int) -> int | None:
    ids = sorted(life.claims)
    return ids[number % len(ids)] if ids else None


def _bill(life: Life, number: int) -> None:
    life.comes_in((9_000, 60_000, 150_000)[number % 3], life.today() + timedelta(days=number % 20))


def _part(life: Life, number: int) -> None:
    if (claim_id := _claim(life, number)) is not None:
        life.pay_in(1_000 + number * 100, claim_id)


def _whole(life: Life, number: int) -> None:
    if (claim_id := _claim(life, number)) is not None:
        claim = life.claims[claim_id]
        life.pay_in(claim.principal + (claim.costs if number % 2 else 0), claim_id)


def _everything(life: Life, number: int) -> None:
    for claim_id in sorted(life.claims):
        life.pay_in(life.claims[claim_id].principal + life.claims[claim_id].costs, claim_id)


def _hold(life: Life, number: int) -> None:
    life.pause(HOLDS[number % len(HOLDS)], 1 + number % 25)


def _dispute(life: Life, number: int) -> None:
    if (claim_id := _claim(life, number)) is not None:
        life.pause("dispute", 1 + number % 30, claim_id=claim_id, amount=None if number % 2 else 5_000)


def _objects(life: Life, number: int) -> None:
    """A part of a claim is disputed for good, or no longer."""
    if (claim_id := _claim(life, number)) is not None:
        claim = life.claims[claim_id]
        life.claims[claim_id] = dataclasses.replace(claim, disputed=claim.principal // (1, 2, 4)[number % 3])
        life.wake()


def _service_hold(life: Life, number: int) -> None:
    life.pause("medical", 1 + number % 25, service_id=1 + number % len(life.services))


def _flag(life: Life, number: int) -> None:
    names = sorted({*life.case["flags"], "danger_life", "protected"})
    told = ("no", "no", "yes", "unknown")[number % 4]
    life.case["flags"] = {**life.case["flags"], names[number % len(names)]: told}
    life.wake()


def _switch(life: Life, number: int) -> None:
    life.partner, life.ends_at = dataclasses.replace(life.partner, stopped=True), life.now + timedelta(days=number % 3)


def _bank(life: Life, number: int) -> None:
    """The bank's file does not come for some days."""
    life.partner = dataclasses.replace(life.partner, money_complete_until=life.now)
    life.ends_at = life.now + timedelta(days=2 + number % 3)


def _refuse(life: Life, number: int) -> None:
    life.approve(granted=bool(number % 3))


def _ordered(life: Life, number: int) -> None:
    id_ = len(life.payments) + 1
    state = ("ordered", "authorised")[number % 2]
    life.payments[id_] = PaymentFacts(id_, 10_000, state, life.now, noted=False)
    life.wake()


def _fails(life: Life, number: int) -> None:
    for id_, one in life.payments.items():
        if one.state in ("ordered", "authorised"):
            life.payments[id_] = dataclasses.replace(one, state="failed")
            life.wake()


def _bounce(life: Life, number: int) -> None:
    sent = [one for one in life.effects.values() if one.facts.kind == "message" and one.facts.state == "done"]
    if sent:
        reach = life.case["reach"]
        life.bounces(sent[-1 - number % min(3, len(sent))].facts.id)
        life.case["reach"] = reach if number % 2 else life.case["reach"]


def _void(life: Life, number: int) -> None:
    taken = [step for step in life.steps.values() if step.step != RESTORE]
    if taken:
        life.voided[taken[-1].id] = life.steps.pop(taken[-1].id)
        life.wake()


def _defer(life: Life, number: int) -> None:
    """A later due date, by a person."""
    if (claim_id := _claim(life, number)) is not None:
        claim = life.claims[claim_id]
        later = claim.due_date + timedelta(days=number % 20)
        life.claims[claim_id] = dataclasses.replace(claim, due_date=later)
        life.wake()


def _profile(life: Life, number: int) -> None:
    names = ["", *sorted(life.policy.profiles)]
    life.case["profile"] = names[number % len(names)]
    life.wake()


def _closed_day(life: Life, number: int) -> None:
    days = {life.today() + timedelta(days=ahead) for ahead in range(number % 4)}
    life.partner = dataclasses.replace(life.partner, closed_dates=frozenset(days))


HAPPENINGS: dict[str, Callable[[Life, int], None]] = {
    "bill": _bill, "part": _part, "whole": _whole, "everything": _everything, "hold": _hold, "dispute": _dispute,
    "objects": _objects, "service_hold": _service_hold, "flag": _flag, "switch": _switch, "bank": _bank,
    "refuse": _refuse, "ordered": _ordered, "fails": _fails, "bounce": _bounce, "void": _void, "defer": _defer,
    "profile": _profile, "closed_day": _closed_day,
}  # fmt: skip
