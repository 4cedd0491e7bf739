"""What each kind of rule asks of a path: the static side of the rules that `rules.asked` asks of a case."""

from collections.abc import Callable, Iterator

from relight.core.prove.clock import DUE, first_breach, pay_by_of, starts
from relight.core.prove.content import check_content
from relight.core.prove.gates import holds_state
from relight.core.prove.held import Held
from relight.core.prove.money import check_amount, check_count
from relight.core.prove.result import Breach, Remaining, breach, with_dates
from relight.core.prove.timing import check_elapsed, check_expired
from relight.core.prove.windows import check_window
from relight.core.rules import model
from relight.core.rules.acts import Act
from relight.core.rules.letters import gives_at_least
from relight.core.rules.model import Rule


def check(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    """How a rule fares at a step of a path."""
    return _CHECKS[rule.kind](rule, held)


def _requires_before(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    demand = rule.demand
    assert isinstance(demand, model.RequiresBefore)
    after = DUE
    for order, act in enumerate(demand.needs):
        found = [one for one in held.before(act, together=demand.together) if one[0] >= after]
        counted = [one for one in _far_apart(demand, held, found) if _gives(demand, held, one[0])]
        needed = demand.count if order == 0 else 1
        if len(counted) < needed:
            yield breach(rule, held.path, held.place, _missing(act, len(counted), needed, demand))
            return
        ways = frozenset[str]().union(*(one.ways for _, one in counted))
        if (demand.ways > 1 and len(ways) < demand.ways) or not demand.channels <= ways:
            yield breach(rule, held.path, held.place, _wrong_ways(act, demand, ways))
            return
        after = counted[needed - 1][0]
        if demand.expired and order == len(demand.needs) - 1:
            yield from check_expired(rule, held, after)


def _gives(demand: model.RequiresBefore, held: Held, place: int) -> bool:
    if demand.each_term is None:
        return True
    asked = model.MinDeadline(demand.each_term)
    step = held.path.steps[place]
    return all(gives_at_least(held.policy, held.calendar, step, asked, frozenset(), day) for day in starts())


def _far_apart(demand: model.RequiresBefore, held: Held, found: list[tuple[int, Act]]) -> list[tuple[int, Act]]:
    if demand.gap is None:
        return found
    gap, kept = demand.gap, list[tuple[int, Act]]()
    for place, act in found:
        near = kept and (
            kept[-1][0] == place
            or any(
                first_breach(
                    held.policy, held.calendar, held.path, kept[-1][0], place, lambda day: held.calendar.add(day, gap)
                )
            )
        )
        if not near:
            kept.append((place, act))
    return kept


def _missing(act: str, have: int, needed: int, demand: model.RequiresBefore) -> str:
    more: list[str] = []
    if demand.each_term is not None:
        more.append(f"each with at least {demand.each_term} to pay")
    if demand.gap is not None:
        more.append(f"at least {demand.gap} apart")
    times = f"{needed} times" if needed > 1 else "once"
    said = f"{act} must come first, {times}{', ' if more else ''}{' and '.join(more)}"
    comes = {0: "never does", 1: "comes once"}.get(have, f"comes {have} times")
    return f"{said}; on this path it {comes}"


def _wrong_ways(act: str, demand: model.RequiresBefore, ways: frozenset[str]) -> str:
    have = ", ".join(sorted(ways)) or "none for sure"
    if demand.channels - ways:
        return f"{act} must surely go by {', '.join(sorted(demand.channels))}; it goes by {have}"
    return f"{act} must be tried in {demand.ways} different ways; it is tried by {have}"


def _min_deadline(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    demand = rule.demand
    assert isinstance(demand, model.MinDeadline)
    for day in starts():
        if not gives_at_least(held.policy, held.calendar, held.step, demand, rule.targets, day):
            given = pay_by_of(held.policy, held.calendar, held.path, held.place, day)
            gives = f"gives until {given}" if given else "gives no time to pay"
            counted = {"sent": "", "received": ", from receipt", "day_after_received": ", from the day after receipt"}
            message = f"must give at least {demand.term}{counted[demand.count_from]}; it {gives}"
            yield breach(rule, held.path, held.place, message, with_dates(held.path, held.place, day, []))
            return


def _required_content(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    for message in check_content(rule, held.policy, held.step, held.contents):
        yield breach(rule, held.path, held.place, message)


def _requires_state(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    demand = rule.demand
    assert isinstance(demand, model.RequiresState)
    if not holds_state(demand, held.policy, held.step):
        yield breach(rule, held.path, held.place, _wanted(demand, held.policy.currency))
    yield Remaining(rule.id, rule.law, "sums and flags are a case's own: asked when the step is due, and at release")


def _wanted(demand: model.RequiresState, currency: str) -> str:
    told: list[str] = []
    for state in demand.any_of:
        parts: list[str] = []
        if state.arrears_min is not None:
            parts.append(f"arrears: {{min: {state.arrears_min / 100:g}}}")
        if state.claims_min is not None:
            parts.append(f"claims: {{min: {state.claims_min}}}")
        if state.flags:
            parts.append(f"flags: {{all: [{', '.join(sorted(state.flags))}]}}")
        condition = f"when: {{{', '.join(parts)}}}" if parts else ""
        told.append(" and ".join(filter(None, [condition, "approval: person" if state.person else ""])))
    return f"lacks a gate; write {' or '.join(told)} ({currency})"


def _forbidden_if(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    yield Remaining(rule.id, rule.law, "flags are a case's own: read afresh when the step is due, and at release")


def _forbidden_window(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    demand = rule.demand
    assert isinstance(demand, model.ForbiddenWindow)
    for message in check_window(demand, rule.targets, held.policy, held.step):
        yield breach(rule, held.path, held.place, message)
    yield Remaining(rule.id, rule.law, "the day is a case's own: the step waits for one that is allowed")


def _forbidden_step(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    demand = rule.demand
    assert isinstance(demand, model.ForbiddenStep)
    if demand.never:
        yield breach(rule, held.path, held.place, f"{', '.join(sorted(rule.targets))} is forbidden here")
    if demand.only_unpaid_service:
        yield Remaining(rule.id, rule.law, "the engine touches the unpaid service and no other")
    if demand.keep:
        yield Remaining(rule.id, rule.law, f"the driver keeps {', '.join(sorted(demand.keep))}")


def _max_amount(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    for message in check_amount(rule, held.policy, held.path, held.place):
        yield breach(rule, held.path, held.place, message)


def _max_count(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    for message in check_count(rule, held.path, held.place):
        yield breach(rule, held.path, held.place, message)


def _obligation_after(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    yield Remaining(rule.id, rule.law, "the engine restores by itself, and an alarm goes to a person when it cannot")


def _data_scope(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    yield Remaining(rule.id, rule.law, "what leaves is filtered when it is exported")


_CHECKS: dict[str, Callable[[Rule, Held], Iterator[Breach | Remaining]]] = {
    "requires_before": _requires_before,
    "min_elapsed": check_elapsed,
    "min_deadline": _min_deadline,
    "required_content": _required_content,
    "requires_state": _requires_state,
    "forbidden_if": _forbidden_if,
    "forbidden_window": _forbidden_window,
    "forbidden_step": _forbidden_step,
    "max_amount": _max_amount,
    "max_count": _max_count,
    "obligation_after": _obligation_after,
    "data_scope": _data_scope,
}
