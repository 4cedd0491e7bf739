"""What can be amiss with an act: a log in, the same log with one thing changed out. The facts of both moments change
alike, so that there is one history; some changes leave it lawful, as near to the edge as others miss it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from random import Random

from relight.core.facts import (
    CaseFacts,
    ClaimFacts,
    HoldFacts,
    PaymentFacts,
    ServiceShare,
    StepFacts,
)
from relight.core.levels import Level
from relight.core.restore import RESTORE
from relight.core.rules.lawbook import packaged_law
from tests.agreement.lives import HOLDS, spoken_of
from tests.agreement.logs import Log, objections

Change = Callable[[Random, Log], Log | None]
_ELSEWHERE = 9  # another service of the account


def with_something_amiss(dice: Random, log: Log) -> Log | None:
    """The log with one change, named in `amiss`; None where it does not apply."""
    name = dice.choice(list(CHANGES))
    changed = CHANGES[name](dice, log)
    return None if changed is None else replace(changed, amiss=(*log.amiss, name))


def _both(log: Log, change: Callable[[CaseFacts], CaseFacts]) -> Log:
    return replace(log, before=change(log.before), after=change(log.after))


def _steps(log: Log, change: Callable[[StepFacts], StepFacts | None]) -> Log:
    """Every step before the act, changed or (None) gone."""

    def of(facts: CaseFacts) -> CaseFacts:
        steps = [step if step.number >= log.number else change(step) for step in facts.steps]
        return replace(facts, steps=tuple(step for step in steps if step is not None))

    return _both(log, of)


def _earlier(log: Log) -> list[StepFacts]:
    return [step for step in log.before.steps if step.step != RESTORE and step.number < log.number]


def _behind(log: Log) -> list[StepFacts]:
    """The earlier steps of the act's own claims; those of others only change what else there is to do."""
    return [step for step in _earlier(log) if log.claim_ids & {claim.claim_id for claim in step.claims}]


def _pick(dice: Random, log: Log) -> StepFacts | None:
    """One of the steps that the act rests on, but none that took something away: blocks rest on those."""
    found = [step for step in _behind(log) if not any(one.kind == "supply" for one in step.effects)]
    return dice.choice(found) if found else None


# -- the act itself


def _days_earlier(dice: Random, log: Log) -> Log | None:
    """The act was decided and left some days sooner, and not before anything that came first."""
    moments = [moment for step in _earlier(log) for moment in _moments(step)]
    shift = timedelta(days=dice.choice((1, 1, 2, 3, 5, 7, 10, 20)))
    decided_at = log.decided_at - shift
    refused = any(one.state == "refused" for one in log.before.approvals)  # a no is good for a month
    if refused or any(moment >= decided_at - timedelta(hours=1) for moment in moments):
        return None
    return _at(log, decided_at, log.left_at - shift)


def _moments(step: StepFacts) -> list[datetime]:
    done = [one.finished_at for one in step.effects if one.finished_at is not None]
    worked = [one.done_at for one in step.tasks if one.done_at is not None]
    return [step.decided_at, *([step.completed_at] if step.completed_at else []), *done, *worked]


def _at(log: Log, decided_at: datetime, left_at: datetime) -> Log:
    """At other moments; what was said before (holds, approvals, orders) had been said by then."""

    def of(facts: CaseFacts) -> CaseFacts:
        holds = tuple(hold for hold in facts.holds if hold.starts_at < decided_at - timedelta(hours=1))
        payments = tuple(one for one in facts.payments if one.received_at < decided_at - timedelta(hours=1))
        approvals = tuple(
            replace(one, decided_at=min(one.decided_at, decided_at - timedelta(hours=1))) if one.decided_at else one
            for one in facts.approvals
        )
        steps = tuple(replace(one, decided_at=decided_at) if one.number == log.number else one for one in facts.steps)
        return replace(facts, holds=holds, payments=payments, approvals=approvals, steps=steps)

    return replace(_both(log, of), decided_at=decided_at, left_at=left_at)


def _on_another_hour(dice: Random, log: Log) -> Log | None:
    """It left at another hour or on another day of the week; what people were asked, they were asked then. Only of what
    was decided on an open day, since a command is judged by the day on which it leaves."""
    told = objections(log)
    if log.after.partner.money_is_stale(log.left_at + timedelta(days=8)):
        return None  # the sources' word at the leaving is not kept
    if any("window" in why for why in told) or "latest_claim" in (log.policy.restore_when, log.policy.close_when):
        return None
    zone = log.after.partner.zone
    local = log.left_at.astimezone(zone)
    day = local.date() + timedelta(days=dice.randrange(0, 7))
    left_at = datetime.combine(day, time(dice.choice((3, 8, 10, 12, 15, 22)), 30), zone).astimezone(UTC)
    if left_at < log.left_at:
        return None
    return replace(log, left_at=left_at) if log.due is not None else _at(log, left_at, left_at)


def _another_level(dice: Random, log: Log) -> Log | None:
    blocks = [block for service in log.after.services for block in service.blocks]
    if log.due is None or len(blocks) > 1 or any(o.kind == "supply" for step in _earlier(log) for o in step.effects):
        return None
    level = dice.choice([one for one in (Level.OFF, Level.LIMITED, Level.WALLED_GARDEN) if one is not log.due.level])
    return replace(log, due=replace(log.due, level=level))


# -- what came before


def _notice_later(dice: Random, log: Log) -> Log | None:
    """An earlier step was over some days later: its letters left later, its work was done later."""
    chosen, shift = _pick(dice, log), timedelta(days=dice.choice((1, 2, 3, 5, 8, 13, 21)))
    if chosen is None or chosen.completed_at is None:
        return None
    claims = {claim.claim_id for claim in chosen.claims}
    after = [one.decided_at for one in _earlier(log) if one.number > chosen.number
             and claims & {claim.claim_id for claim in one.claims}]  # fmt: skip
    if chosen.completed_at + shift >= min([log.decided_at, *after]):
        return None

    def later(step: StepFacts) -> StepFacts:
        if step.number != chosen.number:
            return step
        effects = tuple(replace(one, finished_at=_shifted(one.finished_at, shift)) for one in step.effects)
        tasks = tuple(replace(one, done_at=_shifted(one.done_at, shift)) for one in step.tasks)
        return replace(step, effects=effects, tasks=tasks, completed_at=_shifted(step.completed_at, shift))

    return _steps(log, later)


def _shifted(moment: datetime | None, shift: timedelta) -> datetime | None:
    return moment + shift if moment is not None else None


def _notice_gone(dice: Random, log: Log) -> Log | None:
    """An earlier step was never taken."""
    chosen = _pick(dice, log)
    return chosen and _steps(log, lambda step: None if step.number == chosen.number else step)


def _notice_bounced(dice: Random, log: Log) -> Log | None:
    """A message that left had never arrived, and that was known."""
    chosen = _pick(dice, log)
    sent = [one for one in chosen.effects if one.state == "done" and one.kind == "message"] if chosen else []
    if not sent:
        return None
    failed = dice.choice(sent).id

    def bounced(step: StepFacts) -> StepFacts:
        return replace(step, effects=tuple(replace(one, failed=one.failed or one.id == failed) for one in step.effects))

    return _steps(log, bounced)


def _not_done(dice: Random, log: Log) -> Log | None:
    """What a person was to do was not done, and the step counted as over."""
    tasks = [(step.number, task) for step in _behind(log) for task in step.tasks if task.state == "done"]
    if not tasks:
        return None
    number, chosen = dice.choice(tasks)

    def undone(step: StepFacts) -> StepFacts:
        if step.number != number:
            return step
        open_ = tuple(replace(one, state="open", done_at=None) if one is chosen else one for one in step.tasks)
        return replace(step, tasks=open_, completed_at=None)

    return _steps(log, undone)


def _longer_term(dice: Random, log: Log) -> Log | None:
    """The last notice had given more time: each step waits for the time that the one before it gave."""
    chosen, days = _behind(log)[-1] if _behind(log) else None, dice.choice((1, 3, 7, 14, 30))
    if chosen is None or chosen.pay_by_date is None:
        return None
    later = chosen.pay_by_date + timedelta(days=days)
    return _steps(log, lambda step: replace(step, pay_by_date=later) if step.number == chosen.number else step)


def _joined(dice: Random, log: Log) -> Log | None:
    """One of its claims had not been in an earlier step."""
    chosen, claim = _pick(dice, log), dice.choice(sorted(log.claim_ids))
    if chosen is None:
        return None

    def without(step: StepFacts) -> StepFacts | None:
        if step.number != chosen.number:
            return step
        left = tuple(one for one in step.claims if one.claim_id != claim)
        return replace(step, claims=left) if left else None

    return _steps(log, without)


# -- the customer, the money and people


def _flag(dice: Random, log: Log) -> Log | None:
    protecting, demanded = spoken_of(log.policy, packaged_law())
    name = dice.choice(sorted({*protecting, *demanded, "protected", "danger_health"}))
    told = dice.choice(("yes", "no", "unknown", None))
    flags = {key: value for key, value in log.before.flags.items() if key != name} | ({name: told} if told else {})
    return _both(log, lambda facts: replace(facts, flags=flags))


def _hold(dice: Random, log: Log) -> Log | None:
    """A pause that covered the act, or only its leaving."""
    kind = dice.choice(("case", "case", "claim", "part", "service"))
    only_leaving = log.due is not None and dice.random() < 0.4 and log.left_at - log.decided_at > timedelta(minutes=2)
    starts_at = log.left_at - timedelta(minutes=1) if only_leaving else log.decided_at - timedelta(days=2)
    service_id = log.due.service_id if log.due else min((one.id for one in log.before.services), default=1)
    hold = HoldFacts(
        900, dice.choice([one for one in HOLDS if one != "breathing_space"]),
        dice.choice(sorted(log.claim_ids)) if kind in ("claim", "part") else None,
        service_id if kind == "service" else None, dice.choice((500, 5_000)) if kind == "part" else None,
        starts_at, log.left_at + timedelta(days=5), protective=False,
    )  # fmt: skip
    changed = replace(log, after=replace(log.after, holds=(*log.after.holds, hold)))
    return changed if only_leaving else replace(changed, before=replace(log.before, holds=(*log.before.holds, hold)))


def _paid(dice: Random, log: Log) -> Log | None:
    """One of its claims was paid, or a part of it, before the act."""
    claim_id, share = dice.choice(sorted(log.claim_ids)), dice.choice((1, 2, 10))

    def of(facts: CaseFacts) -> CaseFacts:
        return replace(facts, claims=tuple(kept for one in facts.claims for kept in _less(one, claim_id, share)))

    return _both(log, of)


def _less(claim: ClaimFacts, claim_id: int, share: int) -> list[ClaimFacts]:
    if claim.id != claim_id:
        return [claim]
    principal = claim.principal - claim.principal // share
    if not principal:
        return []
    shares = tuple(ServiceShare(one.service_id, principal) for one in claim.shares)
    return [replace(claim, principal=principal, disputed=min(claim.disputed, principal), shares=shares)]


def _disputed(dice: Random, log: Log) -> Log | None:
    claim_id, share = dice.choice(sorted(log.claim_ids)), dice.choice((1, 2))

    def of(facts: CaseFacts) -> CaseFacts:
        claims = [replace(one, disputed=one.principal // share) if one.id == claim_id else one for one in facts.claims]
        return replace(facts, claims=tuple(claims))

    return _both(log, of)


def _on_its_way(dice: Random, log: Log) -> Log | None:
    """A payment had been ordered some days before, or between decision and leaving."""
    received_at = log.decided_at - timedelta(days=dice.choice((0, 1, 2, 3, 4, 6)), hours=2)
    payment = PaymentFacts(900, 10_000, "ordered", received_at, noted=False)
    return _both(log, lambda facts: replace(facts, payments=(*facts.payments, payment)))


def _stale(dice: Random, log: Log) -> Log | None:
    until = log.decided_at - timedelta(hours=dice.choice((40, 47, 49, 72, 400)))
    if log.due is not None and log.left_at - log.decided_at > timedelta(hours=1):
        return None  # the sources' word at the leaving is not kept
    return _both(log, lambda facts: replace(facts, partner=replace(facts.partner, money_complete_until=until)))


def _unasked(dice: Random, log: Log) -> Log | None:
    """People had not said yes, or to something else."""
    approvals = [one for one in log.before.approvals if one.state == "granted" and one.step == log.step]
    if not approvals:
        return None
    keep = [one for one in log.before.approvals if one not in approvals]
    if dice.random() < 0.5:
        keep.append(replace(approvals[0], claims=frozenset({800})))
    return replace(log, before=replace(log.before, approvals=tuple(keep)))


def _another_debtor(dice: Random, log: Log) -> Log | None:
    return _both(log, lambda facts: replace(facts, debtor="collective"))


def _another_service(dice: Random, log: Log) -> Log | None:
    """What is owed is owed for another service."""

    def of(facts: CaseFacts) -> CaseFacts:
        claims = tuple(
            replace(one, shares=(ServiceShare(_ELSEWHERE, one.principal),)) if one.id in log.claim_ids else one
            for one in facts.claims
        )
        return replace(facts, claims=claims)

    return _both(log, of)


CHANGES: dict[str, Change] = {
    "days_earlier": _days_earlier, "another_hour": _on_another_hour, "another_level": _another_level,
    "notice_later": _notice_later, "notice_gone": _notice_gone, "notice_bounced": _notice_bounced,
    "not_done": _not_done, "longer_term": _longer_term, "joined": _joined, "flag": _flag, "hold": _hold, "paid": _paid,
    "disputed": _disputed, "on_its_way": _on_its_way, "stale": _stale, "unasked": _unasked,
    "another_debtor": _another_debtor, "another_service": _another_service,
}  # fmt: skip
