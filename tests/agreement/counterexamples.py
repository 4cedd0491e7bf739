"""The other direction: what the proof shows to be unlawful is lived as it says, and must be stopped at run time.

A finding names a path, with dates where days matter. The steps of that path are put into a case's facts on those dates,
and the guards, asked of the step at the end, must say no, and by the same rule.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from relight.core.actions import FeeAction, MessageAction, SupplyAction, task_code
from relight.core.calendars import calendar_for
from relight.core.facts import (
    CaseFacts,
    ClaimFacts,
    EffectFacts,
    PartnerFacts,
    ServiceFacts,
    ServiceShare,
    StepClaimFacts,
    StepFacts,
    TaskFacts,
)
from relight.core.guards import check_step
from relight.core.levels import Level
from relight.core.policy import Policy, Step
from relight.core.prove.clock import DUE, days_between
from relight.core.prove.gates import arrears_at_least
from relight.core.prove.paths import Path, paths
from relight.core.prove.result import Breach
from relight.core.rules.lawbook import LawBook
from relight.core.rules.model import MaxAmount, Rule
from relight.core.standing import standing
from relight.core.waits import longest_term
from tests.agreement.lives import ZONES

# What a file alone shows and no case can: texts, and the engine's own rules of whole policies.
NEVER_ASKED = frozenset({"required_content"})
_PLAIN_START = date(2027, 4, 5)
_DATED = re.compile(r"(\w+) (\d{4}-\d\d-\d\d)")
_FAR = datetime(2059, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of a counterexample: `stopped`, `not_stopped`, or why it cannot be lived (`texts`, `house`,
    `not_in_force`: the proof looks further ahead than one day's law)."""

    breach: Breach
    outcome: str
    kind: str = ""


def replay(policy: Policy, book: LawBook, breach: Breach) -> Replay:
    """Live a finding as its path tells it."""
    rule = _rule(policy, book, breach.rule)
    if rule is None:
        return Replay(breach, "house")
    if rule.kind in NEVER_ASKED:
        return Replay(breach, "texts", rule.kind)
    told = [(name, date.fromisoformat(day)) for name, day in _DATED.findall(breach.path)]
    asked = False
    for path in _paths_of(policy, breach, told):
        for last_channel, slow in ((False, False), (True, False), (False, True)):
            facts, days = _case(policy, path, told, rule, last_channel=last_channel, slow=slow and not told)
            for day in days:
                asked = asked or rule.in_force(day)
                if _stops(policy, book, path.steps[-1], facts, day, rule):
                    return Replay(breach, "stopped", rule.kind)
    return Replay(breach, "not_stopped" if asked else "not_in_force", rule.kind)


def _rule(policy: Policy, book: LawBook, id_: str) -> Rule | None:
    return next((rule for pack in book.packs_of(policy) for rule in pack.rules if rule.id == id_), None)


def _paths_of(policy: Policy, breach: Breach, told: list[tuple[str, date]]) -> Iterator[Path]:
    """The beginnings of paths, up to the step in question, that the finding's words fit."""
    way, _, profile = breach.path.partition(" (profile ")
    names = [name for name, _ in told] or way.split(" → ")
    names = names[1:] if names[:1] == ["due"] else names
    seen: set[Path] = set()
    for path in paths(policy):
        if path.profile != (profile.rstrip(")") or "standard"):
            continue
        for place, step in enumerate(path.steps):
            prefix = Path(path.profile, path.delay, path.steps[: place + 1])
            come = [one.name for one in prefix.steps]
            if step.name == breach.step and come[len(come) - len(names) :] == names and prefix not in seen:
                seen.add(prefix)
                yield prefix


def _stops(policy: Policy, book: LawBook, step: Step, facts: CaseFacts, day: date, rule: Rule) -> bool:
    """Whether the guards say no on every hour of that day, the rule being among the reasons."""
    for hour in (0, 10, 12):
        now = datetime.combine(day, time(hour), facts.partner.zone).astimezone(UTC)
        at = standing(facts, now)
        check = check_step(policy, book, facts, at, step, at.overdue, now)
        if check.allows or not any(dict(why.params).get("rule") == rule.id for why in check.reasons):
            return False
    return True


def _case(
    policy: Policy, path: Path, told: list[tuple[str, date]], rule: Rule, *, last_channel: bool, slow: bool
) -> tuple[CaseFacts, list[date]]:
    """A case that has come down the path, and the days on which to ask of its end. Messages went on the first or the
    last of their channels; `slow`: they came a day after what people did in the same step."""
    days, due = _dates(policy, path, told)
    calendar = calendar_for(policy.country)
    claims = _claims(policy, path.steps[-1], due)
    covered = tuple(StepClaimFacts(claim.id, claim.principal, 0) for claim in claims)
    zone = ZoneInfo(ZONES[policy.country])
    steps = tuple(
        _taken(policy, step, number, day, zone, covered, last_channel=last_channel, slow=slow)
        for number, (step, day) in enumerate(zip(path.steps[:-1], days, strict=False), 1)
    )
    partner = PartnerFacts(1, policy.country, policy.currency, zone, calendar, frozenset(), _FAR, 48,
                           stopped=False, shadow=False)  # fmt: skip
    services = tuple(
        ServiceFacts(id_, kind, Level.FULL, 0, None, Level.FULL, None, controllable=True)
        for id_, kind in enumerate(sorted(policy.services), 1)
    )
    facts = CaseFacts(
        1, 1, "active", 50, policy.debtor, path.profile, 0, partner, claims=claims, steps=steps, services=services,
        reach=frozenset({"sms", "email", "letter"}),
    )  # fmt: skip
    wide = rule.kind == "forbidden_window"
    return facts, [days[-1] + n * _DAY for n in range(14 if wide else 1)]


def _dates(policy: Policy, path: Path, told: list[tuple[str, date]]) -> tuple[list[date], date]:
    """A day for each step, and the due date: as told, and before that at leisure; all at their earliest if not told."""
    if not told:
        start = _PLAIN_START
        return days_between(policy, calendar_for(policy.country), path, DUE, len(path.steps) - 1, start), start
    given = [day for name, day in told if name != "due"]
    leisure = len(path.steps) - len(given)
    before = [given[0] - (leisure - place) * 20 * _DAY for place in range(leisure)]
    due = told[0][1] if told[0][0] == "due" else (before or given)[0] - 20 * _DAY
    return [*before, *given], due


def _claims(policy: Policy, step: Step, due: date) -> tuple[ClaimFacts, ...]:
    """As little as the step's own conditions let pass."""
    count = max(1, _claims_at_least(step))
    least = max(arrears_at_least(policy, step), policy.opens.arrears_min or 0, count)
    services = sorted(policy.services)
    return tuple(
        ClaimFacts(id_, f"F{id_}", principal, 0, 0, due,
                   tuple(ServiceShare(number, principal) for number in range(1, len(services) + 1)))
        for id_, principal in enumerate([least - (least // count) * (count - 1), *[least // count] * (count - 1)], 1)
    )  # fmt: skip


def _claims_at_least(step: Step) -> int:
    found = re.search(r"fact='claims', min=(\d+)", str(step.when))
    return int(found[1]) if found else 1


def _taken(
    policy: Policy, step: Step, number: int, day: date, zone: ZoneInfo, covered: tuple[StepClaimFacts, ...],
    *, last_channel: bool, slow: bool,
) -> StepFacts:  # fmt: skip
    """A step that was taken on a day, and all of it done at once."""
    moment = datetime.combine(day, time(9), zone).astimezone(UTC)
    arrives = moment + slow * _DAY
    effects: list[EffectFacts] = []
    tasks: list[TaskFacts] = []
    for part, action in enumerate(step.do):
        match action:
            case MessageAction(channels=channels, mode=mode):
                used = channels if mode == "all" else channels[-1:] if last_channel else channels[:1]
                effects += [_effect(number, part, "message", channel, action.template, arrives) for channel in used]
            case SupplyAction():
                effects.append(_effect(number, part, "supply", "", "", moment))
            case FeeAction():
                pass
            case _:
                tasks.append(TaskFacts(part, task_code(action), "done", moment))
    term = _pay_by(policy, step, day)
    return StepFacts(number, number, step.name, moment, arrives, term, covered, tuple(effects), tuple(tasks))


def _effect(number: int, part: int, kind: str, channel: str, template: str, moment: datetime) -> EffectFacts:
    return EffectFacts(number * 100 + part * 10, part, kind, channel, "done", moment, template, moment)


def _pay_by(policy: Policy, step: Step, day: date) -> date | None:
    calendar = calendar_for(policy.country)
    term = longest_term(policy, calendar, step)
    return calendar.add(day, term) if term is not None else None


def is_sum_over_time(rule: Rule) -> bool:
    """Whether the rule caps a sum within a span, where the proof adds up the whole path."""
    return isinstance(rule.demand, MaxAmount) and rule.demand.sum_max is not None
