"""I3: when a cut left, its undisputed and noticed arrears met the policy, nobody cut off had paid, had a payment on its
way, was on hold or protected, and the money data was fresh.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from relight.audit.asking import money
from relight.audit.conditions import holds
from relight.audit.days import Days, longest
from relight.audit.history import Basis, Cut, Earlier
from relight.audit.reading import SAME_MOMENT_SECONDS, Reading
from relight.audit.rules import COMMON

_ONE_BANKING_DAY = "1 working day"  # no policy may count on payments that come faster
RESTORE_FIRST = "Give the service back now, and tell the customer; then find out what let the cut leave."


@dataclass(frozen=True)
class Wrong:
    """Something wrong with a cut."""

    code: str
    why: str
    todo: str = RESTORE_FIRST


@dataclass(frozen=True)
class Bench:
    """What every cut of a partner is judged with. `heard_until` are the required sources' own words by now."""

    reading: Reading
    days: Days
    heard_until: tuple[tuple[str, datetime], ...]

    def day(self, moment: datetime) -> date:
        """The partner's date at a moment."""
        return moment.astimezone(self.reading.partner.zone).date()


def judge(bench: Bench, cut: Cut) -> Iterator[Wrong]:
    """Everything wrong with one cut; when it rests on nothing, that alone."""
    if cut.row["step_id"] is None or cut.step is None or not cut.claims:
        yield Wrong("no_step", "It rests on no step of its policy, and on no claims.")
        return
    if cut.row["voided_at"] is not None and _before(cut.row["voided_at"], cut.moment):
        yield Wrong("voided", f"Its step {cut.step.name} had been voided at {cut.row['voided_at']:%Y-%m-%d %H:%M}.")
    for question in _QUESTIONS:
        yield from question(bench, cut)


def _arrears(bench: Bench, cut: Cut) -> Iterator[Wrong]:
    """Undisputed, overdue arrears that still meet the policy."""
    assert cut.step is not None
    today = bench.day(cut.moment)
    left = cut.left(today)
    owed = sum(claim.owed for claim in left) - cut.credit
    if owed <= 0:
        paid = all(not claim.principal + claim.costs for claim in cut.claims) or cut.credit > 0
        reason = "had been paid" if paid else "were disputed, on hold or not due"
        yield Wrong("nothing_owed", f"The claims that it rests on ({_numbers(cut.claims)}) {reason}.")
    elif holds(cut.step.when, cut, left, today) is not True:
        shown = money(owed, bench.reading.partner.currency)
        yield Wrong("condition", f"Step {cut.step.name} was not allowed by its own condition: {shown} on {len(left)}"
                    f" claims, {_flags(cut)}.")  # fmt: skip


def _rests(bench: Bench, cut: Cut) -> Iterator[Wrong]:
    """Each of its claims was overdue, unpaid and undisputed when it was decided."""
    decided = bench.day(cut.row["decided_at"])
    for claim in cut.claims if cut.facts else ():
        if not claim.was_owed or claim.due_date >= decided:
            why = "had been paid, was disputed or on hold, or was not due when this was decided."
            yield Wrong("not_owed", f"It rests on claim {claim.number}, which {why}")
    owed = _owed_by_all(cut, decided)
    if cut.facts and owed < cut.policy.opens_min:
        least, shown = (money(sum_, bench.reading.partner.currency) for sum_ in (cut.policy.opens_min, owed))
        yield Wrong("too_little", f"{shown} were owed when this was decided; the policy begins with {least}.")


def _owed_by_all(cut: Cut, day: date) -> int:
    """All that was overdue and undisputed on the account, as the decision saw it."""
    held = {claim.claim_id: claim.held_then for claim in cut.claims}
    owed = 0
    for one in cut.facts.get("claims", ()):
        countable = max(0, one["principal"] - one["disputed"] - held.get(one["id"], 0))
        if date.fromisoformat(one["due_date"]) < day and (countable or not one["principal"]):
            owed += countable + one["costs"]
    return owed


def _progress(bench: Bench, cut: Cut) -> Iterator[Wrong]:
    """Each claim's own notices had left and arrived, their terms and waits were over, and from the last of them the
    policy leads to this step."""
    assert cut.step is not None
    decided = bench.day(cut.row["decided_at"])
    for claim in cut.claims:
        done = [step for step in claim.earlier if step.completed_at is not None]
        if not any(step.sent or step.proof for step in done):
            yield Wrong("unnoticed", f"No notice for claim {claim.number} had reached the customer.")
            continue
        last = claim.earlier[-1]
        if last.completed_at is None or last.completed_at > cut.row["decided_at"]:
            yield Wrong(
                "unfinished", f"Step {last.name} was not complete for claim {claim.number} when this was decided."
            )
            continue
        if not last.proof and (lost := _lost(cut, last)):
            yield Wrong("unnoticed", f"{lost} of step {last.name} for claim {claim.number} had reached nobody.")
        if not _leads(cut, claim, last.name, decided):
            why = f"The policy leads from {last.name}, the last step of claim {claim.number}, to another step."
            yield Wrong("road", why)
        yield from _term(bench, cut, claim, done, decided)


def _leads(cut: Cut, claim: Basis, name: str, decided: date) -> bool:
    """Whether the road goes on from a step to the cut's, but for steps that the profile leaves out: the first way whose
    condition held for the claim when it was decided. From a step of another policy it may go anywhere."""
    assert cut.step is not None
    skipped = cut.policy.skips.get(str(cut.facts.get("profile", "")), frozenset())
    then = (claim.when_decided,)
    while name in cut.policy.steps:
        ways = cut.policy.steps[name].following
        following = next((step for when, step in ways if holds(when, cut, then, decided) is True), "")
        if following == cut.step.name or following not in skipped:
            return following == cut.step.name
        name = following
    return True


def _lost(cut: Cut, step: Earlier) -> str:
    """The name of a message of a step that arrived on no channel; nothing when all did. What tells of a cut afterwards
    does not count."""
    defined = cut.policy.steps.get(step.name)
    for part, template in defined.notices if defined else ():
        if not any(one.part == part for one in step.sent):
            return template
    return ""


def _term(bench: Bench, cut: Cut, claim: Basis, done: list[Earlier], decided: date) -> Iterator[Wrong]:
    assert cut.step is not None
    last = done[-1]
    assert last.completed_at is not None
    waited = bench.days.end_of(bench.day(last.completed_at), cut.step.after)
    terms = [day for step in done if (day := pay_until(bench, step)) is not None]
    over = max([waited, *terms])
    delay = cut.policy.delays.get(str(cut.facts.get("profile", "")))
    over = bench.days.end_of(over, delay) if delay else over
    over = bench.days.end_of(over, cut.policy.settle) if cut.takes_away else over
    if terms and decided <= max(terms):
        why = f"Claim {claim.number} could be paid until {max(terms)}, and it was decided on {decided}."
        yield Wrong("term", why)
    elif decided <= over:
        why = f"Claim {claim.number} had to wait until {over} ({cut.step.after} after {last.name}, and"
        yield Wrong("term", f"{why} {cut.policy.settle} for payments to settle); it was decided on {decided}.")


def pay_until(bench: Bench, step: Earlier) -> date | None:
    """The last day to pay that a step gave. Its letters count from the day on which they left, so this counts from the
    day on which the step was done: the longest of what they name and of what they let follow."""
    if step.pay_by_date is None or step.completed_at is None or step.proof:
        return step.pay_by_date
    given = max(step.gives, key=longest, default=None)
    done = bench.day(step.completed_at)
    return max(step.pay_by_date, bench.days.end_of(done, given)) if given else step.pay_by_date


def _pauses(bench: Bench, cut: Cut) -> Iterator[Wrong]:
    """No hold, no stop, no protective flag."""
    for hold in cut.holds:
        if hold["of_service"] and not cut.takes_away:
            continue
        what = "service" if hold["of_service"] else "case"
        yield Wrong("hold", f"The {what} was on hold ({hold['reason']}, by {hold['placed_by']}, since"
                    f" {hold['starts_at']:%Y-%m-%d %H:%M}).")  # fmt: skip
    protecting = sorted(name for name in COMMON.protecting_flags if cut.flags.get(name) == "yes")
    if protecting and cut.takes_away:
        yield Wrong("protected", f"The customer was protected: {', '.join(protecting)}.")
    stopped = bench.reading.partner.stopped_at
    if stopped is not None and _before(stopped, cut.moment):
        yield Wrong("stopped", f"Everything had been stopped at {stopped:%Y-%m-%d %H:%M}.")


def _transit(bench: Bench, cut: Cut) -> Iterator[Wrong]:
    """No payment on its way that still had days to settle."""
    for payment in cut.in_transit:
        ordered = bench.day(payment["received_at"])
        until = max(bench.days.end_of(ordered, span) for span in (cut.policy.settle, _ONE_BANKING_DAY))
        if bench.day(cut.moment) <= until:
            yield Wrong("in_transit", f"Payment {payment['ref']} was on its way since"
                        f" {payment['received_at']:%Y-%m-%d %H:%M}, with until {until} to settle.")  # fmt: skip


def _freshness(bench: Bench, cut: Cut) -> Iterator[Wrong]:
    """The money data was fresh: as the decision kept it, and as the sources say by now."""
    stale = timedelta(hours=bench.reading.partner.stale_after_hours)
    for name, until in bench.heard_until:
        if until < cut.moment - stale:
            yield Wrong(
                "stale", f"Source {name} is complete only until {until:%Y-%m-%d %H:%M}, and this left after that."
            )
            return
    kept = cut.facts.get("partner")
    if not cut.facts or kept is None:
        yield Wrong("unkept", "The facts of the decision are not on the log.", "Restore the log from a backup.")
        return
    until = kept["money_complete_until"]
    hours = timedelta(hours=kept["money_stale_after_hours"])
    if until is None or datetime.fromisoformat(until) < cut.row["decided_at"] - hours:
        yield Wrong("stale", f"The money data was complete only until {until or 'never'} when this was decided.")


def _belief(bench: Bench, cut: Cut) -> Iterator[Wrong]:
    """What the decision believed to be owed is what the ledger says was owed then."""
    for claim in cut.claims:
        low, high = claim.owed_then
        if claim.believed is not None and not low <= claim.believed <= high:
            seen, owed = (money(amount, bench.reading.partner.currency) for amount in (claim.believed, high))
            why = f"The decision saw {seen} of principal on claim {claim.number}; its transfers come to {owed}."
            yield Wrong("belief", why)


def _window(bench: Bench, cut: Cut) -> Iterator[Wrong]:
    """Within the hours and days that the policy gives to the step."""
    assert cut.step is not None
    partner = bench.reading.partner
    if cut.step.window and not cut.step.window.lets(cut.moment, partner.zone, bench.days, partner.closed_dates):
        local = cut.moment.astimezone(partner.zone)
        yield Wrong("window", f"It left on {local:%a %Y-%m-%d %H:%M}, outside its window ({cut.step.window}) or on a"
                    " day off.")  # fmt: skip


def _agreed(bench: Bench, cut: Cut) -> Iterator[Wrong]:
    """People had said yes, where the policy asks for it: enough of them, to all of the claims, none to his own wish."""
    assert cut.step is not None
    wanted = {"person": 1, "two_people": 2}.get(cut.step.approval, 0)
    if not wanted:
        return
    claims = {claim.claim_id for claim in cut.claims}
    for approval in cut.approvals:
        people = set(approval["decided_by"]) - {approval["requested_by"]}
        if claims <= set(approval["claims"]) and len(people) >= wanted:
            return
    yield Wrong("unapproved", f"Step {cut.step.name} needs {wanted} person's yes for these claims, and there was none.")


def _level(bench: Bench, cut: Cut) -> Iterator[Wrong]:
    """The step is one that sets this level."""
    assert cut.step is not None
    if cut.row["level"] is not None and cut.row["level"] not in cut.step.levels:
        yield Wrong("level", f"Step {cut.step.name} does not set anything to {cut.row['level']}.")


_QUESTIONS: tuple[Callable[[Bench, Cut], Iterator[Wrong]], ...] = (
    _level, _arrears, _rests, _progress, _pauses, _transit, _freshness, _belief, _window, _agreed,
)  # fmt: skip


def _before(moment: datetime, other: datetime) -> bool:
    return moment < other - timedelta(seconds=SAME_MOMENT_SECONDS)


def _numbers(claims: tuple[Basis, ...]) -> str:
    return ", ".join(claim.number for claim in claims)


def _flags(cut: Cut) -> str:
    told = [f"{name} is {value}" for name, value in sorted(cut.flags.items()) if value != "no"]
    return ", ".join(told) or "no flag speaks against it"
