"""A rule of a law pack in one plain sentence: what the law asks of a step, from the object that the guards ask."""

from collections.abc import Iterator
from datetime import date

from relight.core.explain.entries import Why
from relight.core.explain.params import act
from relight.core.explain.speech import Speech, sentence
from relight.core.rules import model
from relight.core.rules.model import Rule
from relight.core.rules.sums import cap_of
from relight.core.windows import Window

_DUE = "due"
# Kinds that tell customers how the law protects them without naming what we know of them.
_FOR_CUSTOMERS = frozenset({"requires_before", "min_elapsed", "requires_state", "forbidden_window"})


def tell(speech: Speech, rule: Rule, day: date, *, principal: int) -> Why | None:
    """What a rule asks on a day of a step about so much principal, under its section; None for one that
    no step is asked, such as what a letter holds, and for a customer also for one about what we know of them."""
    if speech.reader == "customer" and not _for_customers(rule):
        return None
    text = _tell(speech, rule.demand, day, principal)
    if not text:
        return None
    ends = "." if speech.reader == "customer" and not text.endswith(".") else ""
    return Why(sentence(text) + ends, speech.section(rule.law), rule.id if speech.reader == "agent" else "")


def _for_customers(rule: Rule) -> bool:
    """What a law says that a customer can be told; a choice of our own is no law, and protects nobody by its name."""
    return rule.kind in _FOR_CUSTOMERS and rule.source.level != "none" and not _is_about_people(rule.demand)


def _is_about_people(demand: model.Demand) -> bool:
    match demand:
        case model.RequiresState(any_of):
            return any(state.flags for state in any_of)
        case model.ForbiddenWindow(if_flags=flags):
            return bool(flags)
        case _:
            return False


def _tell(speech: Speech, demand: model.Demand, day: date, principal: int) -> str:
    match demand:
        case model.RequiresBefore():
            return _before(speech, demand)
        case model.MinElapsed():
            return _elapsed(speech, demand)
        case model.MinDeadline(term):
            return speech.piece("rule.min_deadline", span=speech.span(term))
        case model.RequiresState(any_of):
            states = speech.listed((_state(speech, state) for state in any_of), last="or")
            return speech.piece("rule.requires_state", states=states)
        case model.ForbiddenIf(flags, unknown_blocks):
            key = "rule.unknown_too" if unknown_blocks else "rule.forbidden_if"
            return speech.piece(key, flags=_flags(speech, flags))
        case model.ForbiddenWindow():
            return _window(speech, demand)
        case model.ForbiddenStep(never=True):
            return speech.piece("rule.forbidden_step")
        case model.MaxAmount():
            return _amount(speech, demand, cap_of(demand, day, principal))
        case model.MaxCount(count):
            return speech.piece("rule.max_count", count=count)
        case _:
            return ""


def _before(speech: Speech, demand: model.RequiresBefore) -> str:
    return speech.piece(
        "rule.requires_before",
        needs=speech.listed(act(speech, need) for need in demand.needs),
        count=demand.count if demand.count > 1 else "",
        ways=demand.ways if demand.ways > 1 else "",
        each_term=speech.span(demand.each_term) if demand.each_term else "",
        gap=speech.span(demand.gap) if demand.gap else "",
        expired=speech.piece("rule.expired") if demand.expired else "",
    )


def _elapsed(speech: Speech, demand: model.MinElapsed) -> str:
    since = speech.listed(
        speech.piece("rule.due") if anchor.moment == _DUE else act(speech, anchor.of) for anchor in demand.since
    )
    told = list[str]()
    if demand.span is not None:
        key = "rule.min_elapsed" if demand.span.count else "rule.after_day"
        told.append(speech.piece(key, span=speech.span(demand.span), since=since, n=demand.span.count))
    if demand.at_most is not None:
        told.append(speech.piece("rule.at_most", span=speech.span(demand.at_most), since=since))
    return "; ".join(told)


def _state(speech: Speech, state: model.State) -> str:
    told = list[str]()
    if state.arrears_min is not None:
        told.append(speech.piece("rule.state_arrears", amount=speech.money(state.arrears_min)))
    if state.claims_min is not None:
        told.append(speech.piece("rule.state_claims", count=state.claims_min))
    if state.person:
        told.append(speech.piece("rule.state_person"))
    if state.flags:
        told.append(speech.piece("rule.state_flags", flags=_flags(speech, sorted(state.flags))))
    return speech.listed(told)


def _window(speech: Speech, demand: model.ForbiddenWindow) -> str:
    never = list(_closed(speech, demand))
    told = [speech.piece("rule.forbidden_window", when=speech.listed(never, last="or"))] if never else []
    if demand.open:
        when = speech.listed((_hours(speech, window) for window in demand.open), last="or")
        told.append(speech.piece("rule.open", when=when))
    text = "; ".join(told)
    if not demand.if_flags:
        return text
    return speech.piece("rule.for_flags", flags=_flags(speech, demand.if_flags), told=text[:1].lower() + text[1:])


def _closed(speech: Speech, demand: model.ForbiddenWindow) -> Iterator[str]:
    if demand.weekdays:
        days = _weekdays(speech, demand.weekdays)
        yield speech.piece("rule.weekdays", days=days)
    if demand.months:
        yield speech.piece("rule.months", months=speech.listed(speech.month(month) for month in sorted(demand.months)))
    if demand.holidays:
        yield speech.piece("rule.holidays")
    if demand.day_before_holiday:
        yield speech.piece("rule.day_before_holiday")


def _hours(speech: Speech, window: Window) -> str:
    opens, closes = (f"{minute // 60:02}:{minute % 60:02}" for minute in (window.opens_minute, window.closes_minute))
    days = _weekdays(speech, window.weekdays)
    return speech.piece("rule.hours", days=days, opens=opens, closes=closes)


def _weekdays(speech: Speech, days: frozenset[int]) -> str:
    return speech.listed(speech.piece("rule.weekday", day=speech.weekday(day)) for day in sorted(days))


def _amount(speech: Speech, demand: model.MaxAmount, most: int | None) -> str:
    if demand.forbidden:
        return speech.piece("rule.no_fee")
    told = [speech.piece("rule.max_amount", amount=speech.money(most))] if most is not None else []
    if demand.sum_max is not None and demand.sum_span is not None:
        whole = speech.money(demand.sum_max)
        told.append(speech.piece("rule.sum_max", amount=whole, span=speech.span(demand.sum_span)))
    return "; ".join(told)


def _flags(speech: Speech, names: tuple[str, ...] | list[str]) -> str:
    return speech.listed((speech.name("flag", name) for name in names), last="or")
