"""What must have come first, how long before, and the time to pay that a letter gave."""

from collections.abc import Iterator
from datetime import date, timedelta

from relight.core.calendars import due_date
from relight.core.rules import model
from relight.core.rules.model import Rule
from relight.core.rules.sentences import a, name_of, said
from relight.core.second_opinion.case import Held, subject
from relight.core.second_opinion.log import Entry
from relight.core.second_opinion.verdicts import Unlawful, Untold, Verdict

_DAY = timedelta(days=1)
_NO_ARRIVAL = "when the {name} arrived (column received_date): counted from the day it was sent, the best case"
_NO_TERM = "until when the {name} gave time to pay (column pay_by_date)"


def requires_before(rule: Rule, held: Held) -> Iterator[Verdict]:
    """Whether what the rule needs is in the log before the row, as often and in such ways as it asks."""
    demand = rule.demand
    assert isinstance(demand, model.RequiresBefore)
    after = date.min
    for place, act in enumerate(demand.needs):
        found = [one for one in held.before(act, together=demand.together) if one.day >= after]
        needed = demand.count if place == 0 else 1
        surely, perhaps = _counted(demand, held, found)
        if len(perhaps) < needed:
            yield Unlawful(_too_few(rule, demand, held, act, len(perhaps), needed), missing=True)
            return
        if len(surely) < needed:
            yield Untold(_NO_TERM.format(name=name_of(act)))
            return
        ways = _ways(demand, surely, act)
        if ways is not None:
            yield ways
            return
        after = surely[needed - 1].day
        if demand.expired and place == len(demand.needs) - 1:
            yield from _expired(rule, held, surely, needed, act)


def _counted(demand: model.RequiresBefore, held: Held, found: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Those that count, surely and perhaps: enough time to pay, far enough apart."""
    return (
        _far_apart(demand, held, [one for one in found if _gave(demand, held, one) is True]),
        _far_apart(demand, held, [one for one in found if _gave(demand, held, one) is not False]),
    )


def _gave(demand: model.RequiresBefore, held: Held, one: Entry) -> bool | None:
    if demand.each_term is None:
        return True
    return None if one.pay_by is None else one.pay_by >= held.calendar.add(one.day, demand.each_term)


def _far_apart(demand: model.RequiresBefore, held: Held, found: list[Entry]) -> list[Entry]:
    kept: list[Entry] = []
    for one in found:
        if demand.gap is None or not kept or one.day >= held.calendar.add(kept[-1].day, demand.gap):
            kept.append(one)
    return kept


def _ways(demand: model.RequiresBefore, counted: list[Entry], act: str) -> Verdict | None:
    if demand.ways < 2 and not demand.channels:
        return None
    ways = frozenset[str]().union(*(one.channels for one in counted))
    if len(ways) >= demand.ways and demand.channels <= ways:
        return None
    if any(not one.channels for one in counted):
        return Untold(f"by which channels the {name_of(act)} went (column channel)")
    asked = [f"in {demand.ways} different ways"] if demand.ways > 1 else []
    asked += [f"by {channel}" for channel in sorted(demand.channels)]
    went = f"went by {' and '.join(sorted(ways))} only"
    return Unlawful(f"The {name_of(act)} must come {' and '.join(asked)}; it {went}.")


def _expired(rule: Rule, held: Held, found: list[Entry], needed: int, act: str) -> Iterator[Verdict]:
    given = [one.pay_by for one in found[needed - 1 :] if one.pay_by is not None]
    if any(pay_by < held.entry.day for pay_by in given):
        return
    if len(given) < len(found) - needed + 1:
        yield Untold(_NO_TERM.format(name=name_of(act)))
    else:
        lawful = min(given) + _DAY
        why = f"{subject(rule, held)} came too early: the {name_of(act)} gave until {said(min(given))} to pay. "
        yield Unlawful(f"{why}It would have been lawful from {said(lawful)}.", lawful)


def _too_few(rule: Rule, demand: model.RequiresBefore, held: Held, act: str, have: int, needed: int) -> str:
    more: list[str] = []
    if demand.each_term is not None:
        more.append(f"each with at least {demand.each_term} to pay")
    if demand.gap is not None:
        more.append(f"at least {demand.gap} apart")
    if needed == 1 and not more:
        return _without(rule, held, act)
    counts = ("that counts" if have == 1 else "that count") if more else "before it"
    came = f"after {have} {name_of(act, have)} {counts}" if have else f"without any {name_of(act)} {counts}"
    must = f"{needed} must come first{', ' if more else ''}{' and '.join(more)}"
    return f"{subject(rule, held)} came {came}; {must}. It is not lawful until that is done."


def _without(rule: Rule, held: Held, act: str) -> str:
    return f"{subject(rule, held)} came without {a(act)} before it. It is not lawful until that is done."


def min_elapsed(rule: Rule, held: Held) -> Iterator[Verdict]:
    """Whether the time that must pass had passed since the latest of the rule's anchors, and not too much of it."""
    demand = rule.demand
    assert isinstance(demand, model.MinElapsed)
    begun: list[tuple[date, str]] = []
    for anchor in demand.since:
        if anchor.moment == "due":
            due = held.due()
            if due is None:
                yield Untold("when the bill was due (column due_date)")
                return
            begun.append((due, f"The bill was due on {said(due)}"))
            continue
        if anchor.of in rule.targets:
            own = held.earlier(rule)[-1:]
            begun += [(one.day, f"The one before it was on {said(one.day)}") for one in own]
            continue
        found = held.before(anchor.of)
        if not found:
            yield Unlawful(_without(rule, held, anchor.of), missing=True)
            return
        begun.append(_began(anchor, found, last=demand.span is None))
        if anchor.moment == "received" and any(one.received is None for one in found):
            yield Untold(_NO_ARRIVAL.format(name=name_of(anchor.of)))
    if begun:
        yield from _in_time(rule, demand, held, *max(begun))


def _began(anchor: model.Anchor, found: list[Entry], *, last: bool) -> tuple[date, str]:
    """The first such act is enough for a least time; a most is counted from the last."""
    days = [one.arrived if anchor.moment == "received" else one.day for one in found]
    day = max(days) if last else min(days)
    verb = {"received": "arrived", "sent": "was sent", "completed": "was done"}[anchor.moment]
    return day, f"The {name_of(anchor.of)} {verb} on {said(day)}"


def _in_time(rule: Rule, demand: model.MinElapsed, held: Held, since: date, began: str) -> Iterator[Unlawful]:
    day = held.entry.day
    if demand.span is not None and (lawful := due_date(held.calendar, since, demand.span)) > day:
        wait = f"{demand.span} must pass after it" if demand.span.count else "it may come only after that day"
        why = f"{subject(rule, held)} came too early. {began}, and {wait}. "
        yield Unlawful(f"{why}It would have been lawful from {said(lawful)}.", lawful)
    if demand.at_most is not None and day > (end := held.calendar.add(since, demand.at_most)):
        why = f"{subject(rule, held)} came too late. {began}, which is good for {demand.at_most}"
        yield Unlawful(f"{why}: until {said(end)}. After that it has to be sent anew.")


def min_deadline(rule: Rule, held: Held) -> Iterator[Verdict]:
    """Whether the letter gave the time to pay that it must give."""
    demand = rule.demand
    assert isinstance(demand, model.MinDeadline)
    entry = held.entry
    if entry.pay_by is None:
        yield Untold(_NO_TERM.format(name=name_of(min(entry.acts & rule.targets))))
        return
    begins = entry.day if demand.count_from == "sent" else entry.arrived
    if demand.count_from != "sent" and entry.received is None:
        yield Untold(_NO_ARRIVAL.format(name=name_of(min(entry.acts & rule.targets))))
    if demand.count_from == "day_after_received":
        begins += _DAY
    least = held.calendar.add(begins, demand.term)
    if entry.pay_by < least:
        why = f"{subject(rule, held)} gave until {said(entry.pay_by)} to pay. It must give at least {demand.term}"
        yield Unlawful(f"{why}, counted from {said(begins)}: until {said(least)} or later.")
