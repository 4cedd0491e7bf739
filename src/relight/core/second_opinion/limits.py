"""Fees and their number, days on which nothing may be done, steps that may not be taken, and what must be owed."""

from collections.abc import Iterator
from datetime import date

from relight.core.rules import model
from relight.core.rules.asked import is_closed
from relight.core.rules.model import Rule
from relight.core.rules.sentences import money, said
from relight.core.rules.sums import cap_of
from relight.core.second_opinion.case import Held, subject
from relight.core.second_opinion.log import charges
from relight.core.second_opinion.verdicts import Unlawful, Untold, Verdict


def max_amount(rule: Rule, held: Held) -> Iterator[Verdict]:
    """Whether the fee is at most what may be charged, and all of a time together."""
    demand = rule.demand
    assert isinstance(demand, model.MaxAmount)
    entry, name = held.entry, subject(rule, held)
    if demand.forbidden:
        yield Unlawful(f"{name} may not be charged at all.")
        return
    if entry.fee is None:
        yield Untold("how much the fee was (column amount, or sum)")
        return
    if demand.bands and entry.owed is None:
        yield Untold("how much was owed (column sum), which the most that may be charged depends on")
        return
    most = cap_of(demand, entry.day, entry.owed or 0)
    if most is None:
        yield Untold("the most that may be charged, which the law pack does not know for that day")
    elif entry.fee > most:
        paid, least = money(entry.fee, held.currency), money(most, held.currency)
        yield Unlawful(f"{name} was {paid}. At most {least} may be charged.")
    else:
        yield from _together(rule, demand, held)


def _together(rule: Rule, demand: model.MaxAmount, held: Held) -> Iterator[Verdict]:
    """All fees of the case in the time that the rule names; only where the instalments are as small as it says."""
    entry = held.entry
    if demand.sum_max is None or demand.sum_span is None:
        return
    in_time = [
        one.fee for one in held.case
        if one.acts & rule.targets and one.fee is not None
        and (one.day, one.line) <= (entry.day, entry.line)
        and held.calendar.add(one.day, demand.sum_span) >= entry.day
    ]  # fmt: skip
    if sum(in_time) <= demand.sum_max or (demand.sum_below is not None and (entry.owed or 0) >= demand.sum_below):
        return
    if entry.owed is None:
        yield Untold("how much was owed (column sum): for small instalments the fees together have a limit")
        return
    sums = f"{money(sum(in_time), held.currency)} in {demand.sum_span}"
    yield Unlawful(f"{subject(rule, held)} brings the fees to {sums}. At most {money(demand.sum_max, held.currency)}.")


def max_count(rule: Rule, held: Held) -> Iterator[Verdict]:
    """Whether it was done no more often than it may be."""
    demand = rule.demand
    assert isinstance(demand, model.MaxCount)
    before = held.earlier(rule)
    if len(before) >= demand.count:
        days = ", ".join(said(one.day) for one in before[-3:])
        per = "for the same bill" if demand.per == "claim" else "for the same arrears"
        most = "once" if demand.count == 1 else f"{demand.count} times"
        yield Unlawful(
            f"{subject(rule, held)} is number {len(before) + 1} {per} (before: {days}). At most {most} is lawful."
        )


def forbidden_window(rule: Rule, held: Held) -> Iterator[Verdict]:
    """Whether it was done on a day on which it may not be."""
    demand = rule.demand
    assert isinstance(demand, model.ForbiddenWindow)
    day = held.entry.day
    opens = [window for window in demand.open if window.opens_on(day, held.calendar)]
    if is_closed(demand, day, held.calendar.is_holiday) or (demand.open and not opens):
        if demand.if_flags:
            yield Untold(f"whether the household is one that may not be cut on such days ({_flags(demand.if_flags)})")
        else:
            yield Unlawful(f"{subject(rule, held)} was on a day on which it may not be: {_kind_of_day(held, day)}.")
    elif opens:
        yield Untold("at which hour it was done")


def _kind_of_day(held: Held, day: date) -> str:
    if held.calendar.is_holiday(day):
        return "a holiday"
    return f"a {('Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday')[day.weekday()]}"


def forbidden_step(rule: Rule, held: Held) -> Iterator[Verdict]:
    """Whether it may be done at all by whom it was done."""
    demand = rule.demand
    assert isinstance(demand, model.ForbiddenStep)
    if demand.never:
        by = f" by a {' or '.join(sorted(rule.applies.actor)).replace('_', ' ')}" if rule.applies.actor else ""
        yield Unlawful(f"{subject(rule, held)} may not be done{by} at all.")
    if demand.only_unpaid_service:
        yield Untold("whether only the service that was unpaid was touched")
    if demand.keep:
        yield Untold(f"whether {_flags(demand.keep)} went on")


def requires_state(rule: Rule, held: Held) -> Iterator[Verdict]:
    """Whether enough was owed; whether a person looked, or what a flag said, no log of steps tells."""
    demand = rule.demand
    assert isinstance(demand, model.RequiresState)
    least = [state.arrears_min for state in demand.any_of]
    owed = None if charges(held.entry.acts) else held.entry.owed
    if owed is not None and all(one is not None and owed < one for one in least):
        most = money(min(one for one in least if one is not None), held.currency)
        yield Unlawful(
            f"{subject(rule, held)} was for {money(owed, held.currency)} owed. At least {most} must be owed."
        )
        return
    enough = any(
        (state.arrears_min is None or (owed is not None and owed >= state.arrears_min))
        and state.claims_min is None and not state.person and not state.flags
        for state in demand.any_of
    )  # fmt: skip
    if not enough:
        yield Untold(_asked_of(demand))


def _asked_of(demand: model.RequiresState) -> str:
    asked: list[str] = []
    if any(state.arrears_min is not None for state in demand.any_of):
        asked.append("enough was owed")
    if any(state.claims_min is not None for state in demand.any_of):
        asked.append("several bills were unpaid")
    if any(state.person for state in demand.any_of):
        asked.append("a person looked at it")
    flags = frozenset[str]().union(*(state.flags for state in demand.any_of))
    asked += [_flags(flags)] if flags else []
    return f"whether {', '.join(asked)}"


def forbidden_if(rule: Rule, held: Held) -> Iterator[Verdict]:
    """What stops a step is in people's files, not in a log of steps."""
    demand = rule.demand
    assert isinstance(demand, model.ForbiddenIf)
    yield Untold(f"whether something stood against it: {_flags(demand.flags)}")


def elsewhere(rule: Rule, held: Held) -> Iterator[Verdict]:
    """Texts, exports and answers to customers are not in a log of steps."""
    what = {
        "required_content": "what the text said",
        "obligation_after": "whether it was done in time after what obliges to it",
        "data_scope": "which data were told",
    }
    yield Untold(what[rule.kind])


def _flags(flags: tuple[str, ...] | frozenset[str]) -> str:
    return ", ".join(flag.replace("_", " ") for flag in sorted(flags))
