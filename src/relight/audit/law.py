"""I9: every rule of law holds on the stored log. The rules are data (`rules/*.yaml`); each kind is a function here."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from relight.audit.acts import Came, came_about
from relight.audit.asking import money
from relight.audit.cuts import Bench, Wrong, pay_until
from relight.audit.days import WEEKDAYS
from relight.audit.history import Basis, Cut
from relight.audit.messages import Versions
from relight.audit.reading import Reading, Row, statements
from relight.audit.report import Violation
from relight.audit.rules import Rule, days_of, rules_of

SQL = statements("law.sql")


def judge(bench: Bench, cut: Cut, rules: tuple[Rule, ...]) -> tuple[int, list[Wrong]]:
    """How many rules were asked of one cut, and which of them it broke."""
    day = bench.day(cut.moment)
    asked = [
        rule
        for rule in rules
        if rule.kind in KINDS
        and rule.concerns(services=cut.services, debtor=_debtor(cut), day=day)
        and rule.is_about(actor=cut.policy.actor, acts=cut.acts)
    ]
    broken = [rule for rule in asked if not KINDS[rule.kind](bench, cut, rule)]
    return len(asked), [Wrong(rule.id, f"{rule.law}: {rule.why}.", rule.todo) for rule in broken]


def look_at_fees(reading: Reading) -> tuple[int, list[Violation]]:
    """How many times a rule was asked of a fee, and the fees that broke one."""
    rules = [rule for rule in rules_of(reading.partner.country) if rule.kind == "fee"]
    if not rules:
        return 0, []
    versions, checked, found = Versions(reading), 0, list[Violation]()
    for row in reading.stream(SQL.fees):
        day = row["posted_at"].astimezone(reading.partner.zone).date()
        for rule in rules:
            if not rule.concerns(services=frozenset(), debtor=row["debtor"], day=day):
                continue
            checked += 1
            if wrong := _fee(reading, versions, row, rule, day):
                found.append(
                    Violation("I9", row["case"], row["event"], wrong, rule.id, rule.todo, reading.partner.slug)
                )
    return checked, found


def _debtor(cut: Cut) -> str:
    return str(cut.facts.get("debtor") or cut.row["debtor"])


def _never(_bench: Bench, _cut: Cut, _rule: Rule) -> bool:
    """Whom the rule applies to is never cut."""
    return False


def _flags(_bench: Bench, cut: Cut, rule: Rule) -> bool:
    """None of the flags is yes; with `unknown: forbids`, none is unknown or was never asked either."""
    allowed = ("no",) if rule.params.get("unknown") == "forbids" else ("no", "unknown", None)
    return all(cut.flags.get(name) in allowed for name in rule.params["flags"])


def _message_before(bench: Bench, cut: Cut, rule: Rule) -> bool:
    """For each claim a message of this template had left, and the whole wait had passed since."""
    today = bench.day(cut.moment)
    return all(
        any(bench.days.end_of(bench.day(at), rule.params["wait"]) < today for at in _sent(cut, claim, rule))
        for claim in cut.claims
    )


def _sent(cut: Cut, claim: Basis, rule: Rule) -> Iterator[datetime]:
    template = rule.params["template"]
    for step in claim.earlier:
        yield from (one.at for one in step.sent if one.template == template)
        defined = cut.policy.steps.get(step.name)
        if step.proof and step.completed_at and defined and template in defined.templates:
            yield step.completed_at  # taken over from another system, with its proof


def _task_before(_bench: Bench, cut: Cut, rule: Rule) -> bool:
    """For each claim a person had done a task of this kind."""
    task = rule.params["task"]
    return all(any(task == one.code for step in claim.earlier for one in step.tasks) for claim in cut.claims)


def _only_unpaid(_bench: Bench, cut: Cut, _rule: Rule) -> bool:
    """Some claim behind the cut is for this very service."""
    return any(claim.is_for_service for claim in cut.claims)


def _before(bench: Bench, cut: Cut, rule: Rule) -> bool:
    """For each claim these acts had come about, in this order; the first of them `count` times."""
    return all(_chain(bench, cut, claim, rule.params) for claim in cut.claims)


def _chain(bench: Bench, cut: Cut, claim: Basis, asked: dict[str, Any]) -> bool:
    since = date.min
    for place, act in enumerate(asked["needs"]):
        came = [one for one in came_about(cut, claim, act, bench.day) if one.arrived >= since]
        came = [*_counting(bench, came, asked)]
        wanted = asked.get("count", 1) if place == 0 else 1
        ways = frozenset[str]().union(*(one.ways for one in came))
        if len(came) < wanted or len(ways) < asked.get("ways", 0) or not ways.issuperset(asked.get("channels", ())):
            return False
        since = came[wanted - 1].arrived
        if asked.get("expired") and place == len(asked["needs"]) - 1:
            until = pay_until(bench, came[wanted - 1].step)
            if until is None or until >= bench.day(cut.moment):
                return False
    return True


def _counting(bench: Bench, came: list[Came], asked: dict[str, Any]) -> Iterator[Came]:
    """Those that gave the time that each must give, so far apart."""
    last: Came | None = None
    for one in came:
        if "each_term" in asked:
            least = bench.days.end_of(bench.day(one.step.decided_at), asked["each_term"])
            if one.step.pay_by_date is None or one.step.pay_by_date < least:
                continue
        if "gap" in asked and last is not None and one.arrived < bench.days.end_of(last.arrived, asked["gap"]):
            continue
        last = one
        yield one


def _waited(bench: Bench, cut: Cut, rule: Rule) -> bool:
    """For each claim the whole `wait` had passed since the last of these acts, of each the first time."""
    today = bench.day(cut.moment)
    for claim in cut.claims:
        came = [came_about(cut, claim, act, bench.day) for act in rule.params["since"]]
        if not all(came):
            return False
        days = [one[0].arrived if rule.params.get("counted") == "arrived" else one[0].sent for one in came]
        if bench.days.end_of(max(days), rule.params["wait"]) >= today:
            return False
    return True


def _owed(bench: Bench, cut: Cut, rule: Rule) -> bool:
    """One of these states held: so much owed, so many claims, a person who confirms, flags that were yes."""
    left = cut.left(bench.day(cut.moment))
    owed = sum(claim.owed for claim in left)
    person = cut.step is not None and cut.step.approval != "none"
    return any(
        owed >= state.get("minor", 0)
        and len(left) >= state.get("claims", 0)
        and (person or not state.get("person"))
        and all(cut.flags.get(name) == "yes" for name in state.get("flags", ()))
        for state in rule.params["any_of"]
    )


def _open_day(bench: Bench, cut: Cut, rule: Rule) -> bool:
    """It was none of the closed days. With `if_flags` they are closed only for whom one was yes, or nobody knows."""
    day, closed = bench.day(cut.moment), rule.params
    if "if_flags" in closed and all(cut.flags.get(name) == "no" for name in closed["if_flags"]):
        return True
    return not (
        WEEKDAYS[day.weekday()] in closed.get("weekdays", ())
        or day.month in closed.get("months", ())
        or (closed.get("holidays", False) and bench.days.is_closed(day))
        or (closed.get("before_holidays", False) and bench.days.is_closed(day + timedelta(days=1)))
    )


KINDS: dict[str, Callable[[Bench, Cut, Rule], bool]] = {
    "never": _never,
    "flags": _flags,
    "message_before": _message_before,
    "task_before": _task_before,
    "only_unpaid_service": _only_unpaid,
    "before": _before,
    "waited": _waited,
    "owed": _owed,
    "open_day": _open_day,
}


def _fee(reading: Reading, versions: Versions, row: Row, rule: Rule, day: date) -> str:
    """What is wrong with a fee under a rule; nothing when it is right, or of another kind than the rule's."""
    asked, names = rule.params, set(rule.params.get("fees", ("reminder",)))
    if not names & _named(versions, row):
        return ""
    shown = f"{money(row['amount'], row['currency'])} on claim {row['claim']}"
    if asked.get("forbidden"):
        return f"{rule.law}: the fee of {shown} is one that nothing permits."
    most = max((step for step in asked["amount_max"] if step["from"] <= day), key=lambda step: step["from"])
    if row["amount"] > most["minor"]:
        return f"{rule.law}: the fee of {shown} is over {money(most['minor'], row['currency'])}."
    return _fee_in_time(reading, row, rule, day, f"{rule.law}: the fee of {shown}")


def _fee_in_time(reading: Reading, row: Row, rule: Rule, day: date, told: str) -> str:
    """Whether a fee came too early after the due date or the last one, or is one too many of its claim or arrears."""
    asked, days = rule.params, days_of(reading.partner.country)
    if "after_due" in asked and day < (earliest := days.end_of(row["due_date"], asked["after_due"])):
        return f"{told} was charged on {day}, before {earliest}."
    names = asked.get("fees", ("reminder",))
    earlier = [
        datetime.fromisoformat(at).astimezone(reading.partner.zone).date()
        for name, same_claim, at in row["earlier"]
        if (not name or name in names) and (same_claim or asked.get("per") == "arrears")
    ]
    if "count_max" in asked and len(earlier) >= asked["count_max"]:
        return f"{told} is number {len(earlier) + 1}; {asked['count_max']} may be charged."
    if "gap" in asked and earlier and day < (earliest := days.end_of(max(earlier), asked["gap"])):
        return f"{told} was charged on {day}, the last one on {max(earlier)}: not before {earliest}."
    return ""


def _named(versions: Versions, row: Row) -> frozenset[str]:
    """What the fee is called: on the ledger, or by the step that charged it (before fees had their names there)."""
    return frozenset({row["fee"]}) if row["fee"] else versions.of(row).fees.get(row["step"], frozenset())
