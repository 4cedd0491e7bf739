"""What must come before a step on its path: the acts that a law wants first."""

from collections.abc import Iterator

from relight.core.prove.clock import DUE, first_breach, starts
from relight.core.prove.held import Held
from relight.core.prove.remedies import all_ways, capital, deed, some, write
from relight.core.prove.result import Breach, Remaining, breach
from relight.core.prove.timing import check_expired
from relight.core.rules import model
from relight.core.rules.acts import Act, names_of
from relight.core.rules.letters import gives_at_least
from relight.core.rules.model import Rule


def check_before(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    """Whether other acts come first: often enough, far enough apart, in the ways and with the terms that count."""
    demand = rule.demand
    assert isinstance(demand, model.RequiresBefore)
    after = DUE
    for order, act in enumerate(demand.needs):
        # Parts of one step begin together: of two acts in it nobody knows which was first.
        found = [one for one in held.before(act, together=demand.together) if one[0] > after]
        counted = [one for one in _far_apart(demand, held, found) if _gives(demand, held, one[0])]
        needed = demand.count if order == 0 else 1
        if len(counted) < needed:
            yield breach(rule, held.path, held.place, _missing(rule, held, act, len(counted), len(found), needed))
            return
        ways = frozenset[str]().union(*(one.ways for _, one in counted))
        if (demand.ways > 1 and len(ways) < demand.ways) or not demand.channels <= ways:
            yield breach(rule, held.path, held.place, _wrong_ways(rule, held, act, ways))
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


def _missing(rule: Rule, held: Held, act: str, counted: int, there: int, needed: int) -> str:
    demand = rule.demand
    assert isinstance(demand, model.RequiresBefore)
    more: list[str] = []
    if demand.each_term is not None:
        more.append(f"each with at least {demand.each_term} to pay")
    if demand.gap is not None:
        more.append(f"at least {demand.gap} apart")
    how = f" ({' and '.join(more)})" if more else ""
    must = f"{some(act, needed)}{how} must come before {deed(held.step, rule.targets)}"
    together = ", or together with it" if demand.together else ""
    none = "none counts" if there else _where_else(held, act, demand)
    come = {0: none, 1: "only one counts"}.get(counted, f"only {counted} count")
    lack = needed - max(counted, there)
    where = "an earlier step" if lack == 1 else f"{lack} earlier steps"
    remedy = f"Write {write(act)} in {where}" if lack > 0 else "Let them count: raise the waits or the terms"
    return f"{capital(must)}{together}: here {come}. {remedy}"


def _where_else(held: Held, act: str, demand: model.RequiresBefore) -> str:
    """Where an act comes that does not come where it must."""
    if held.before(act):
        return f"it comes before {some(demand.needs[demand.needs.index(act) - 1])}"
    return "it comes in this very step" if act in names_of(held.step) else "none comes"


def _wrong_ways(rule: Rule, held: Held, act: str, ways: frozenset[str]) -> str:
    demand = rule.demand
    assert isinstance(demand, model.RequiresBefore)
    have = f"it surely goes by {', '.join(sorted(ways))} alone" if ways else "no way is sure"
    message = held.message(act)
    if lacking := sorted(demand.channels - ways):
        must = f"{some(act)} must surely go by {' and '.join(sorted(demand.channels))}"
        return f"{capital(must)}: here {have}. Write {all_ways(message, lacking)}"
    if message is not None:
        other = "a second channel" if demand.ways == 2 else f"{demand.ways} channels"
        must = f"{some(act)} must go in {demand.ways} different ways"
        return f"{capital(must)}: here {have}. Add {other}, such as {all_ways(message, ['…'])}"
    tried = ", ".join(sorted(ways)) or "none"
    must = f"{some(act)} must be made in {demand.ways} different ways"
    return f"{capital(must)}: here by {tried} alone. Add another, such as {{contact_attempt: visit}}"
