"""What each kind of rule says of one step of one case: deny, defer to a date, or nothing against.

Days are the partner's local ones. A deadline is exclusive: what may be done "within four weeks" can be acted on from
day 29 (law README, semantics 2).
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from relight.core.actions import FeeAction
from relight.core.calendars import due_date
from relight.core.conditions import Param
from relight.core.facts import CaseFacts, ClaimFacts
from relight.core.law import Answer, Reason, Ruling
from relight.core.policy import Policy, Step
from relight.core.records import record
from relight.core.rules import model
from relight.core.rules.acts import CONTACT, FEE, acts_of, names_of
from relight.core.rules.evidence import Occurrence, occurrences
from relight.core.rules.letters import gives_at_least
from relight.core.rules.model import Rule
from relight.core.rules.sums import cap_of, fees_charged
from relight.core.standing import standing
from relight.core.waits import term_ends
from relight.core.windows import local_date, local_midnight, next_in_window

_DAY = timedelta(days=1)
_LOOK_AHEAD = 400


@record
class Asked:
    """A step that is about to be taken for some claims; `today` is the partner's day."""

    policy: Policy
    step: Step
    claims: tuple[ClaimFacts, ...]
    facts: CaseFacts
    now: datetime
    today: date
    _seen: dict[tuple[int | None, str], tuple[Occurrence, ...]]  # so that rules about the same act search once

    def seen(self, claim: ClaimFacts | None, act: str) -> tuple[Occurrence, ...]:
        """When an act came about for a claim, or for any claim of the case."""
        key = (claim.id if claim else None, act)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = occurrences(self.policy, self.facts, key[0], act)
        return found

    def midnight(self, day: date) -> datetime:
        """The first moment of a local day."""
        return local_midnight(day, self.facts.partner.zone)


def asked_now(policy: Policy, step: Step, claims: tuple[ClaimFacts, ...], facts: CaseFacts, now: datetime) -> Asked:
    """A step that is about to be taken at a moment."""
    return Asked(policy, step, claims, facts, now, local_date(now, facts.partner.zone), {})


def ask(rule: Rule, asked: Asked) -> tuple[Ruling, ...]:
    """A rule's rulings on a step; none when it says nothing against."""
    return _ASK[rule.kind](rule, asked)


def may_say(rule: Rule) -> bool:
    """Whether a rule can say anything of a step at all: others are kept when a text is rendered, an export is made, or
    a message leaves."""
    demand = rule.demand
    if isinstance(demand, model.ForbiddenWindow):
        return rule.targets != frozenset({CONTACT})  # the policy's contact window is checked before it goes live
    if isinstance(demand, model.ForbiddenStep):
        return demand.never
    return rule.kind in _ASK


def _deny(rule: Rule, until: datetime | None = None, **params: Param) -> Ruling:
    return Ruling(Answer.DENY, _reason(rule, params), until)


def _defer(rule: Rule, until: datetime, **params: Param) -> Ruling:
    return Ruling(Answer.DEFER, _reason(rule, {**params, "until": until.isoformat()}), until)


def _reason(rule: Rule, params: dict[str, Param]) -> Reason:
    return Reason(f"law.{rule.kind}", tuple(sorted({**params, "rule": rule.id}.items())), rule.law)


# -- what must have come first


def _requires_before(rule: Rule, asked: Asked) -> tuple[Ruling, ...]:
    demand = rule.demand
    assert isinstance(demand, model.RequiresBefore)
    for claim in asked.claims:
        ruling = _chain(rule, demand, asked, claim)
        if ruling is not None:
            return (ruling,)  # one claim that lacks it is enough to say so
    return ()


def _chain(rule: Rule, demand: model.RequiresBefore, asked: Asked, claim: ClaimFacts) -> Ruling | None:
    after: date | None = None
    for place, act in enumerate(demand.needs):
        if demand.together and act in names_of(asked.step):
            continue
        found = [one for one in asked.seen(claim, act) if after is None or one.day >= after]
        counted = _counted(demand, asked, found)
        needed = demand.count if place == 0 else 1
        if len(counted) < needed or not _ways_suffice(demand, counted):
            return _deny(rule, missing=act, have=len(counted), need=needed, claim=claim.number)
        after = counted[needed - 1].day
        if demand.expired and place == len(demand.needs) - 1:
            ruling = _expired(rule, asked, counted[needed - 1])
            if ruling is not None:
                return ruling
    return None


def _counted(demand: model.RequiresBefore, asked: Asked, found: list[Occurrence]) -> list[Occurrence]:
    """Those that gave the time to pay that each must give, far enough apart."""
    calendar, kept = asked.facts.partner.calendar, list[Occurrence]()
    for one in found:
        if demand.each_term is not None:
            begins = local_date(one.taken.decided_at, asked.facts.partner.zone)
            pay_by = one.taken.pay_by_date
            if pay_by is None or pay_by < calendar.add(begins, demand.each_term):
                continue
        if demand.gap is not None and kept and one.day < calendar.add(kept[-1].day, demand.gap):
            continue
        kept.append(one)
    return kept


def _ways_suffice(demand: model.RequiresBefore, counted: list[Occurrence]) -> bool:
    ways = frozenset[str]().union(*(one.ways for one in counted))
    return len(ways) >= demand.ways * (demand.ways > 1) and demand.channels <= ways


def _expired(rule: Rule, asked: Asked, last: Occurrence) -> Ruling | None:
    facts = asked.facts
    done = last.taken.completed_at
    completed = local_date(done, facts.partner.zone) if done is not None else last.day
    step = asked.policy.step(last.taken.step)
    pay_by = term_ends(asked.policy, facts.partner.calendar, step, last.taken, completed)
    if pay_by is None:
        return _deny(rule, missing="term")
    return _defer(rule, asked.midnight(pay_by + _DAY)) if pay_by >= asked.today else None


def _min_elapsed(rule: Rule, asked: Asked) -> tuple[Ruling, ...]:
    demand = rule.demand
    assert isinstance(demand, model.MinElapsed)
    calendar = asked.facts.partner.calendar
    rulings: tuple[Ruling, ...] = ()
    for claim in asked.claims:
        days: list[date] = []
        for anchor in demand.since:
            day = _anchor_day(rule, asked, claim, anchor, all_owed=demand.per == "arrears")
            if day is not None:
                days.append(day)
            elif anchor.of not in rule.targets:  # an act of the rule's own kind that never was asks for no gap
                return (*rulings, _deny(rule, missing=anchor.of, claim=claim.number))
        if not days:
            continue
        latest = max(days)
        if demand.span is not None and (earliest := due_date(calendar, latest, demand.span)) > asked.today:
            deferred = _defer(rule, asked.midnight(earliest), since=latest.isoformat(), span=str(demand.span))
            rulings += (deferred,)
        if demand.at_most is not None and asked.today > calendar.add(latest, demand.at_most):
            rulings += (_deny(rule, since=latest.isoformat(), span=str(demand.at_most)),)
    return rulings


def _anchor_day(rule: Rule, asked: Asked, claim: ClaimFacts, anchor: model.Anchor, *, all_owed: bool) -> date | None:
    """When it began: the first time that the act came about, for the claim or for all that is owed; of the rule's own
    kind, the last."""
    if anchor.moment == "due":
        return claim.due_date
    found = asked.seen(None if all_owed else claim, anchor.of)
    if not found:
        return None
    return found[-1].day if anchor.of in rule.targets else found[0].day


def _min_deadline(rule: Rule, asked: Asked) -> tuple[Ruling, ...]:
    demand = rule.demand
    assert isinstance(demand, model.MinDeadline)
    if gives_at_least(asked.policy, asked.facts.partner.calendar, asked.step, demand, rule.targets, asked.today):
        return ()
    return (_deny(rule, span=str(demand.term)),)


# -- what must be so


def _requires_state(rule: Rule, asked: Asked) -> tuple[Ruling, ...]:
    demand = rule.demand
    assert isinstance(demand, model.RequiresState)
    at = standing(asked.facts, asked.now)
    arrears, flags = at.sum_of(asked.claims), asked.facts.flags
    for state in demand.any_of:
        if (
            (state.arrears_min is None or arrears >= state.arrears_min)
            and (state.claims_min is None or len(asked.claims) >= state.claims_min)
            and (not state.person or asked.step.approval != "none")
            and all(flags.get(flag) == "yes" for flag in state.flags)
        ):
            return ()
    return (_deny(rule, asked.midnight(asked.today + _DAY), arrears=arrears, claims=len(asked.claims)),)


def _forbidden_if(rule: Rule, asked: Asked) -> tuple[Ruling, ...]:
    demand = rule.demand
    assert isinstance(demand, model.ForbiddenIf)
    flags = asked.facts.flags
    yes = tuple(flag for flag in demand.flags if flags.get(flag) == "yes")
    unknown = tuple(flag for flag in demand.flags if flags.get(flag, "unknown") == "unknown")
    if yes:
        return (_deny(rule, yes=yes),)
    return (_deny(rule, unknown=unknown),) if unknown and demand.unknown_blocks else ()


def _forbidden_window(rule: Rule, asked: Asked) -> tuple[Ruling, ...]:
    demand = rule.demand
    assert isinstance(demand, model.ForbiddenWindow)
    if demand.if_flags and not _concerned(demand, asked):
        return ()
    moment = _opens(demand, asked)
    return (_defer(rule, moment),) if moment > asked.now else ()


def _concerned(demand: model.ForbiddenWindow, asked: Asked) -> bool:
    return any(asked.facts.flags.get(flag, "unknown") != "no" for flag in demand.if_flags)


def _opens(demand: model.ForbiddenWindow, asked: Asked) -> datetime:
    """The first moment from now on that is not forbidden."""
    partner = asked.facts.partner
    day = asked.today
    for _ in range(_LOOK_AHEAD):
        if not is_closed(demand, day, partner.calendar.is_holiday):
            break
        day += _DAY
    moment = max(asked.now, asked.midnight(day))
    opens = [next_in_window(moment, window, partner.zone, partner.calendar) for window in demand.open]
    return min(opens, default=moment)


def is_closed(demand: model.ForbiddenWindow, day: date, is_holiday: Callable[[date], bool]) -> bool:
    """Whether the rule forbids a whole local day."""
    return (
        day.weekday() in demand.weekdays
        or day.month in demand.months
        or (demand.holidays and is_holiday(day))
        or (demand.day_before_holiday and is_holiday(day + _DAY))
    )


def _forbidden_step(rule: Rule, asked: Asked) -> tuple[Ruling, ...]:
    return (_deny(rule, step=asked.step.name),)


# -- what may be charged


def _max_amount(rule: Rule, asked: Asked) -> tuple[Ruling, ...]:
    demand = rule.demand
    assert isinstance(demand, model.MaxAmount)
    rulings: tuple[Ruling, ...] = ()
    beside = 0  # what this very step has charged before
    for action in asked.step.do:
        if not isinstance(action, FeeAction) or not _is_about(rule, action):
            continue
        principal = sum(claim.principal for claim in asked.claims)
        most = cap_of(demand, asked.today, principal)
        if most is None or action.amount_minor > most:
            rulings += (_deny(rule, amount=action.amount_minor, most=most if most is not None else "unknown"),)
        elif demand.sum_max is not None and demand.sum_span is not None and _is_small(demand, asked):
            charged = fees_charged(asked.policy, asked.facts, rule.targets, demand.sum_span, asked.today)
            if charged + beside + action.amount_minor > demand.sum_max:
                rulings += (_deny(rule, amount=action.amount_minor, charged=charged + beside, most=demand.sum_max),)
        beside += action.amount_minor
    return rulings


def _is_small(demand: model.MaxAmount, asked: Asked) -> bool:
    """Whether the cap of a sum is for these claims: what is owed now of an instalment is never more than it was."""
    return demand.sum_below is None or any(claim.principal < demand.sum_below for claim in asked.claims)


def _is_about(rule: Rule, action: FeeAction) -> bool:
    return FEE + action.fee in rule.targets or any(name in rule.targets for name in ("fee.any", "fee.any_other"))


def _max_count(rule: Rule, asked: Asked) -> tuple[Ruling, ...]:
    demand = rule.demand
    assert isinstance(demand, model.MaxCount)
    claims: tuple[ClaimFacts | None, ...] = asked.claims if demand.per == "claim" else (None,)
    for claim in claims:
        done = sum(len(asked.seen(claim, act)) for act in rule.targets)
        if done + sum(act.name in rule.targets for act in acts_of(asked.step)) > demand.count:
            return (_deny(rule, have=done, most=demand.count),)
    return ()


# A text is held to its content when it is rendered, an export when it is made, a restore by the engine itself.
_ASK: dict[str, Callable[[Rule, Asked], tuple[Ruling, ...]]] = {
    "requires_before": _requires_before,
    "min_elapsed": _min_elapsed,
    "min_deadline": _min_deadline,
    "requires_state": _requires_state,
    "forbidden_if": _forbidden_if,
    "forbidden_window": _forbidden_window,
    "forbidden_step": _forbidden_step,
    "max_amount": _max_amount,
    "max_count": _max_count,
}
