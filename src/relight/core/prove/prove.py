"""`prove`: one policy against its law packs, on every path. It passes, or some way through it breaks a rule."""

from collections.abc import Iterator

from relight.core.calendars import Calendar, calendar_for
from relight.core.policy import Policy
from relight.core.prove.checks import check
from relight.core.prove.content import Contents
from relight.core.prove.fees import check_fees
from relight.core.prove.held import Held
from relight.core.prove.paths import Path, TooManyPaths, paths
from relight.core.prove.remedies import deed
from relight.core.prove.result import BLOCKING, HOUSE, Breach, Proof, Remaining
from relight.core.prove.timing import is_short, unsettled
from relight.core.rules.acts import CUTS, names_of
from relight.core.rules.lawbook import LawBook, is_for, rules_about
from relight.core.rules.model import LawPack, MinElapsed, RequiresBefore, Rule

_PROVEN_BY = frozenset({"requires_before", "min_elapsed", "requires_state"})


def prove(policy: Policy, book: LawBook, contents: Contents) -> Proof:
    """Hold every path of a policy against every rule of its packs. Pure; takes a second or so."""
    packs = book.packs_of(policy)
    try:
        ways = paths(policy)
    except TooManyPaths as many:
        told = Breach("relight.paths", HOUSE, policy.first.name, f"There are {many}. Split the policy", "")
        return Proof(0, 0, (told,))
    calendar = calendar_for(policy.country)
    told = [*_of_the_whole(policy, book, packs, calendar), *_of_paths(policy, packs, ways, calendar, contents)]
    breaches = _once([one for one in told if isinstance(one, Breach)])
    return Proof(
        paths=len(ways),
        rules=sum(is_for(rule.applies, policy) for pack in packs for rule in pack.rules),
        findings=tuple(one for one in breaches if one.blocks),
        warnings=tuple(one for one in breaches if not one.blocks),
        remains=tuple(dict.fromkeys(one for one in told if isinstance(one, Remaining))),
        hashes={pack.name: pack.hash for pack in packs},
    )


def _once(breaches: list[Breach]) -> tuple[Breach, ...]:
    """One breach of a rule at a step, with the first path that shows it."""
    found: dict[tuple[str, str, str], Breach] = {}
    for one in breaches:
        found.setdefault((one.rule, one.step, one.message.partition(":")[0]), one)
    return tuple(found.values())


def _of_paths(
    policy: Policy, packs: list[LawPack], ways: tuple[Path, ...], calendar: Calendar, contents: Contents
) -> Iterator[Breach | Remaining]:
    about = {step.name: [rule for pack in packs for rule in rules_about(pack, policy, step)] for step in policy.steps}
    asked: set[tuple[str, Path, int]] = set()
    for path in ways:
        for place, step in enumerate(path.steps):
            prefix = Path(path.profile, path.delay, path.steps[: place + 1])
            if step.burdens and ("", prefix, place) not in asked:
                asked.add(("", prefix, place))
                yield from check_fees(policy, packs, prefix, place, about[step.name], calendar)
            for rule in about[step.name]:
                if rule.enforce == "off" or (rule.id, prefix, place) in asked:
                    continue
                asked.add((rule.id, prefix, place))
                yield from check(rule, Held(policy, calendar, prefix, place, contents))


def _of_the_whole(
    policy: Policy, book: LawBook, packs: list[LawPack], calendar: Calendar
) -> Iterator[Breach | Remaining]:
    first = policy.first.name
    for name in policy.laws:
        pack = book.pack(name)
        if pack is None or pack.country != policy.country:
            what = f"There is no law pack {name!r}" if pack is None else f"The law pack {name!r} binds nobody there"
            message = f"{what}. Write law: [{policy.country.lower()}]"
            yield Breach("relight.pack", HOUSE, first, message, "")
    for step in policy.steps:
        acts = names_of(step) & CUTS
        if not acts:
            continue
        rules = [rule for pack in packs for rule in rules_about(pack, policy, step)]
        if not _is_vouched_for(rules, acts):
            act = f"{deed(step, acts)} by a {policy.actor.replace('_', ' ')}"
            message = f"No law that the policy names speaks of {act} for this customer: so nothing vouches for it"
            yield Breach("relight.silent", HOUSE, step.name, f"{message}. Take it out, or correct for: or law:", "")
        if not any(_is_timed(rule) for rule in rules) and is_short(policy, calendar):
            yield unsettled(policy, step, "")


def _is_timed(rule: Rule) -> bool:
    """Whether a rule gives the customer a time, to which the days for payments are added on every path."""
    demand = rule.demand
    if rule.enforce not in BLOCKING:
        return False
    return (isinstance(demand, MinElapsed) and demand.span is not None) or (
        isinstance(demand, RequiresBefore) and demand.expired
    )


def _is_vouched_for(rules: list[Rule], acts: frozenset[str]) -> bool:
    """Whether a rule with a source is about these acts, and one says what must come before them."""
    about = [rule for rule in rules if rule.targets & acts and rule.enforce in BLOCKING]
    return any(rule.enforce == "block" for rule in about) and any(rule.kind in _PROVEN_BY for rule in about)
