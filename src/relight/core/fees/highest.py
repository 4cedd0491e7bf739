"""The most that a fee may be, by every rule of a pack that is about it: amount, count, gap, letter and flag.

The rules are those that prove a policy and stop a step (decision 8); here they are asked for an amount, by whoever
charges outside a policy's steps: a bill that brings a fee along, an agent, an agency's settlement. What no rule permits
is not charged.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from relight.core.calendars import Calendar, due_date
from relight.core.fees.answer import Code, FeeAnswer, Why, nothing
from relight.core.rules import model
from relight.core.rules.acts import ANY_FEE, FEE
from relight.core.rules.model import LawPack, Rule
from relight.core.rules.sums import cap_of
from relight.core.spans import Span

ANY_OTHER = "fee.any_other"


@dataclass(frozen=True, slots=True)
class Debt:
    """What a fee is for: a claim's principal in minor units, when it was due, and who owes it for what."""

    claim: str
    principal: int
    due_date: date
    debtor: str = "consumer"
    service: str = ""


@dataclass(frozen=True, slots=True)
class Charged:
    """A fee that was charged before: its name ("reminder"), the claim, the day its letter was sent, the amount."""

    fee: str
    claim: str
    sent_date: date
    amount: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that a law may ask for: when it was sent and received, and until when it lets one pay."""

    sent_date: date
    received_date: date | None = None
    pay_by_date: date | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: may this fee be charged today. `charged` is what these arrears, or this agreement, were charged so
    far; `letters` by their names ("fourteen_day_letter"); `flags` as yes, no or unknown, unknown when left out."""

    fee: str
    debt: Debt
    today: date
    calendar: Calendar
    charged: Sequence[Charged] = ()
    letters: Mapping[str, Letter] = field(default_factory=dict[str, Letter])
    flags: Mapping[str, str] = field(default_factory=dict[str, str])


def highest_fee(pack: LawPack, asked: Asked) -> FeeAnswer:
    """The most that may be charged, or nothing and every reason against."""
    own = _rules(pack, asked, FEE + asked.fee)
    amounts = [rule for rule in own if isinstance(rule.demand, model.MaxAmount)]
    if not amounts:
        return _without_an_amount(own, _rules(pack, asked, ANY_OTHER))
    about = own + [rule for rule in _rules(pack, asked, ANY_FEE) if rule not in own]
    narrowed = replace(asked, charged=_counted_together(own, asked))
    against = tuple(why for rule in about for why in _against(rule, asked, narrowed))
    if against:
        return nothing(*against)
    limits = [(_limit(rule, asked) or 0, rule) for rule in amounts]
    amount = min(limit for limit, _ in limits)
    return FeeAnswer(amount, tuple(_why(rule, "capped") for limit, rule in limits if limit == amount))


def flagged(pack: LawPack, asked: Asked) -> tuple[Why, ...]:
    """Which flags forbid the fee, whatever its amount."""
    rules = {rule.id: rule for act in (FEE + asked.fee, ANY_FEE) for rule in _rules(pack, asked, act)}
    return tuple(why for rule in rules.values() if rule.kind == "forbidden_if" for why in _flags_against(rule, asked))


def _rules(pack: LawPack, asked: Asked, act: str) -> list[Rule]:
    """The rules about one act that are in force today, and for this debtor and service."""
    rules = (rule for rule in pack.rules if act in rule.targets and rule.enforce != "off")
    return [rule for rule in rules if rule.in_force(asked.today) and _is_for(rule, asked)]


def _without_an_amount(own: Sequence[Rule], others: Sequence[Rule]) -> FeeAnswer:
    """A fee that the pack speaks of and gives no figure for; or not at all, where some packs forbid all others."""
    if own:
        return nothing(*(_why(rule, "unknown") for rule in own))
    return nothing(*(_why(rule, "forbidden") for rule in others)) if others else nothing(Why("no_rule"))


def _is_for(rule: Rule, asked: Asked) -> bool:
    applies, debt = rule.applies, asked.debt
    return (not applies.debtor or debt.debtor in applies.debtor) and (
        not applies.service or not debt.service or debt.service in applies.service
    )


def _why(rule: Rule, code: Code, *, about: str = "", on: date | None = None) -> Why:
    return Why(code, rule.law, rule.id, about, on)


def _counted_together(rules: Sequence[Rule], asked: Asked) -> Sequence[Charged]:
    """The earlier fees that count and keep a distance with this one: all of the arrears, or those of the claim."""
    scopes = {rule.demand.per for rule in rules if isinstance(rule.demand, model.MaxCount)}
    return [one for one in asked.charged if scopes - {"claim"} or one.claim == asked.debt.claim]


def _against(rule: Rule, asked: Asked, narrowed: Asked) -> Iterator[Why]:
    if rule.kind == "max_amount":
        yield from _amount_against(rule, asked)
    elif rule.kind in _CHECKS:
        yield from _CHECKS[rule.kind](rule, narrowed)


def _limit(rule: Rule, asked: Asked) -> int | None:
    """The most by one rule, less what it was charged with already; None where nobody knows the figure."""
    demand = rule.demand
    assert isinstance(demand, model.MaxAmount)
    cap = cap_of(demand, asked.today, asked.debt.principal)
    if cap is None:
        return None
    same = [one for one in asked.charged if one.fee == asked.fee]
    if demand.bands:  # a table by principal is what the whole claim may cost, in one letter or in several
        cap -= sum(one.amount for one in same if one.claim == asked.debt.claim)
    if demand.sum_max is not None and demand.sum_span is not None and _is_small(demand, asked.debt):
        cap = min(cap, demand.sum_max - sum(one.amount for one in same if _still_counts(demand.sum_span, one, asked)))
    return max(0, cap)


def _is_small(demand: model.MaxAmount, debt: Debt) -> bool:
    return demand.sum_below is None or debt.principal < demand.sum_below


def _still_counts(span: Span, one: Charged, asked: Asked) -> bool:
    return asked.calendar.add(one.sent_date, span) >= asked.today


def _amount_against(rule: Rule, asked: Asked) -> Iterator[Why]:
    demand = rule.demand
    assert isinstance(demand, model.MaxAmount)
    if demand.forbidden:
        yield _why(rule, "forbidden")
    elif rule.source.confidence != "verified" or rule.source.level == "none":
        yield _why(rule, "not_verified")
    elif (limit := _limit(rule, asked)) is None:
        yield _why(rule, "unknown")
    elif not limit:
        yield _why(rule, "too_often")


def _count_against(rule: Rule, asked: Asked) -> Iterator[Why]:
    demand = rule.demand
    assert isinstance(demand, model.MaxCount)
    if len(_charged_before(rule, asked)) >= demand.count:
        yield _why(rule, "too_often", about=str(demand.count))


def _elapsed_against(rule: Rule, asked: Asked) -> Iterator[Why]:
    demand = rule.demand
    assert isinstance(demand, model.MinElapsed)
    if demand.span is None:
        return
    days: list[date] = []
    for anchor in demand.since:
        if anchor.moment == "due":
            days.append(asked.debt.due_date)
        elif anchor.of.startswith(FEE):
            days += [one.sent_date for one in _charged_before(rule, asked) if FEE + one.fee == anchor.of]
        elif (day := _letter_day(asked, anchor)) is not None:
            days.append(day)
        else:
            yield _why(rule, "missing", about=anchor.of)
            return
    if days and (earliest := due_date(asked.calendar, max(days), demand.span)) > asked.today:
        yield _why(rule, "too_early", on=earliest)


def _letter_day(asked: Asked, anchor: model.Anchor) -> date | None:
    letter = asked.letters.get(anchor.of)
    if letter is None:
        return None
    return letter.sent_date if anchor.moment == "sent" else letter.received_date


def _letters_against(rule: Rule, asked: Asked) -> Iterator[Why]:
    demand = rule.demand
    assert isinstance(demand, model.RequiresBefore)
    for name in demand.needs:
        letter = asked.letters.get(name)
        if letter is None or (demand.expired and letter.pay_by_date is None):
            yield _why(rule, "missing", about=name)
        elif demand.expired and letter.pay_by_date is not None and letter.pay_by_date >= asked.today:
            yield _why(rule, "too_early", about=name, on=letter.pay_by_date + timedelta(days=1))


def _flags_against(rule: Rule, asked: Asked) -> Iterator[Why]:
    demand = rule.demand
    assert isinstance(demand, model.ForbiddenIf)
    for flag in demand.flags:
        said = asked.flags.get(flag, "unknown")
        if said == "yes" or (said == "unknown" and demand.unknown_blocks):
            yield _why(rule, "flagged", about=flag)


def _charged_before(rule: Rule, asked: Asked) -> list[Charged]:
    return [one for one in asked.charged if FEE + one.fee in rule.targets]


_CHECKS: Mapping[str, Callable[[Rule, Asked], Iterator[Why]]] = {
    "max_count": _count_against,
    "min_elapsed": _elapsed_against,
    "requires_before": _letters_against,
    "forbidden_if": _flags_against,
}
