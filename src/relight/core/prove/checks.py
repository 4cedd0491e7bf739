"""What each kind of rule asks of a path: the static side of the rules that `rules.asked` asks of a case."""

from collections.abc import Callable, Iterator

from relight.core.prove.clock import pay_by_of, starts
from relight.core.prove.content import check_content
from relight.core.prove.gates import holds_state
from relight.core.prove.held import Held
from relight.core.prove.money import check_amount, check_count
from relight.core.prove.order import check_before
from relight.core.prove.remedies import capital, deed
from relight.core.prove.result import Breach, Remaining, breach, with_dates
from relight.core.prove.timing import check_elapsed
from relight.core.prove.windows import check_window
from relight.core.rules import model
from relight.core.rules.letters import gives_at_least
from relight.core.rules.model import Rule
from relight.core.rules.sentences import money, said


def check(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    """How a rule fares at a step of a path."""
    return _CHECKS[rule.kind](rule, held)


def _min_deadline(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    demand = rule.demand
    assert isinstance(demand, model.MinDeadline)
    for day in starts():
        if not gives_at_least(held.policy, held.calendar, held.step, demand, rule.targets, day):
            given = pay_by_of(held.policy, held.calendar, held.path, held.place, day)
            gives = f"it gives until {said(given)}" if given else "it gives none"
            since = {"sent": "", "received": " from its receipt", "day_after_received": " from the day after receipt"}
            letter = deed(held.step, rule.targets)
            must = f"{letter} must give at least {demand.term} to pay{since[demand.count_from]}"
            more = "" if demand.count_from == "sent" else ", and the days that it takes to arrive"
            message = f"{capital(must)}: {gives}. Write term: {demand.term}{more}"
            yield breach(rule, held.path, held.place, message, with_dates(held.path, held.place, day, []))
            return


def _required_content(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    for message in check_content(rule, held.policy, held.step, held.contents):
        yield breach(rule, held.path, held.place, message)


def _requires_state(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    demand = rule.demand
    assert isinstance(demand, model.RequiresState)
    if not holds_state(demand, held.policy, held.step):
        yield breach(rule, held.path, held.place, _wanted(rule, held, demand))
    yield Remaining(rule.id, rule.law, "what is owed is each customer's own: asked on the day, and as it leaves")


def _wanted(rule: Rule, held: Held, demand: model.RequiresState) -> str:
    needs = " or ".join(_told(state, held.policy.currency) for state in demand.any_of)
    remedy = " or ".join(_gate(state) for state in demand.any_of)
    return f"{capital(deed(held.step, rule.targets))} needs {needs}: nothing here makes sure of it. Write {remedy}"


def _told(state: model.State, currency: str) -> str:
    parts: list[str] = []
    if state.arrears_min is not None:
        parts.append(f"at least {money(state.arrears_min, currency)} owed")
    if state.claims_min is not None:
        parts.append(f"at least {state.claims_min} unpaid bills")
    parts += [f"a yes to {flag.replace('_', ' ')}" for flag in sorted(state.flags)]
    if state.person:
        parts.append("a person who confirms it")
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _gate(state: model.State) -> str:
    """The state as a step writes it."""
    parts: list[str] = []
    if state.arrears_min is not None:
        parts.append(f"arrears: {{min: {state.arrears_min / 100:g}}}")
    if state.claims_min is not None:
        parts.append(f"claims: {{min: {state.claims_min}}}")
    if state.flags:
        parts.append(f"flags: {{all: [{', '.join(sorted(state.flags))}]}}")
    condition = f"when: {{{', '.join(parts)}}}" if parts else ""
    return " and ".join(filter(None, [condition, "approval: person" if state.person else ""]))


def _forbidden_if(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    yield Remaining(rule.id, rule.law, "who is protected is each customer's own: asked on the day, and as it leaves")


def _forbidden_window(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    demand = rule.demand
    assert isinstance(demand, model.ForbiddenWindow)
    for message in check_window(demand, rule.targets, held.policy, held.step):
        yield breach(rule, held.path, held.place, message)
    yield Remaining(rule.id, rule.law, "the day is each customer's own: the step waits for one that is allowed")


def _forbidden_step(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    demand = rule.demand
    assert isinstance(demand, model.ForbiddenStep)
    if demand.never:
        yield breach(rule, held.path, held.place, _never(rule, held))
    if demand.only_unpaid_service:
        yield Remaining(rule.id, rule.law, "the engine touches the unpaid service and no other")
    if demand.keep:
        yield Remaining(rule.id, rule.law, f"the driver keeps {', '.join(sorted(demand.keep))}")


def _never(rule: Rule, held: Held) -> str:
    return f"{capital(deed(held.step, rule.targets))} is never allowed here. Take it out of the step"


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
    "requires_before": check_before,
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
