"""I9: every rule of law holds on the stored log. The rules are data (`rules/*.yaml`); each kind is a function here."""

from collections.abc import Callable, Iterator
from datetime import date, datetime

from relight.audit.asking import money
from relight.audit.cuts import Bench, Wrong
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
        if rule.kind in KINDS and rule.concerns(service=cut.row["service_kind"], debtor=_debtor(cut), day=day)
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
            if not rule.concerns(service="", debtor=row["debtor"], day=day):
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
        yield from (at for name, _, at in step.sent if name == template)
        defined = cut.policy.steps.get(step.name)
        if step.proof and step.completed_at and defined and template in defined.templates:
            yield step.completed_at  # taken over from another system, with its proof


def _task_before(_bench: Bench, cut: Cut, rule: Rule) -> bool:
    """For each claim a person had done a task of this kind."""
    return all(any(rule.params["task"] in step.tasks for step in claim.earlier) for claim in cut.claims)


def _only_unpaid(_bench: Bench, cut: Cut, _rule: Rule) -> bool:
    """Some claim behind the cut is for this very service."""
    return any(claim.is_for_service for claim in cut.claims)


KINDS: dict[str, Callable[[Bench, Cut, Rule], bool]] = {
    "never": _never,
    "flags": _flags,
    "message_before": _message_before,
    "task_before": _task_before,
    "only_unpaid_service": _only_unpaid,
}


def _fee(reading: Reading, versions: Versions, row: Row, rule: Rule, day: date) -> str:
    """What is wrong with a fee under a rule; nothing when it is right, or of another kind than reminders."""
    if "reminder" not in versions.of(row).fees.get(row["step"], ()):
        return ""
    most = max((step for step in rule.params["amount_max"] if step["from"] <= day), key=lambda step: step["from"])
    shown = f"{money(row['amount'], row['currency'])} on claim {row['claim']}"
    if row["amount"] > most["minor"]:
        return f"{rule.law}: the fee of {shown} is over {money(most['minor'], row['currency'])}."
    earliest = days_of(reading.partner.country).end_of(row["due_date"], rule.params["after_due"])
    if day < earliest:
        return f"{rule.law}: the fee of {shown} was charged on {day}, before {earliest}."
    if row["n"] > rule.params["count_max"]:
        return f"{rule.law}: the fee of {shown} is number {row['n']}; {rule.params['count_max']} may be charged."
    return ""
