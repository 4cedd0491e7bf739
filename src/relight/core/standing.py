"""Standing: what of a case's claims counts at this moment, and how far each of them has come."""

from datetime import date, datetime

from relight.core.facts import CaseFacts, ClaimFacts, ServiceFacts, StepFacts
from relight.core.policy import Policy
from relight.core.records import record
from relight.core.waits import opening_day
from relight.core.windows import local_date

_ALL = 1 << 62  # more than anybody owes


@record
class Standing:
    """The claims of a case as of one local day. `countable` maps claims to the undisputed, unheld open principal."""

    today: date
    countable: dict[int, int]
    overdue: tuple[ClaimFacts, ...]
    arrears: int  # countable principal and costs of the overdue claims
    held: bool  # the whole case is

    def sum_of(self, claims: tuple[ClaimFacts, ...]) -> int:
        """Countable principal and costs of some claims."""
        return sum([owed(claim, self.countable) for claim in claims])


def owed(claim: ClaimFacts, countable: dict[int, int]) -> int:
    """What a claim counts with: its costs only beside principal that counts, or when no principal is left."""
    principal = countable[claim.id]
    return principal + claim.costs if principal or not claim.principal else 0


def standing(facts: CaseFacts, now: datetime) -> Standing:
    """Take disputes and holds off the claims, and find those overdue. The due date itself is still in time."""
    today = local_date(now, facts.partner.zone)
    sums = _held_sums(facts) if facts.holds else None
    countable: dict[int, int] = {}
    overdue: tuple[ClaimFacts, ...] = ()
    arrears = 0
    for claim in facts.claims:
        counts = claim.principal - claim.disputed
        if sums is not None:
            counts -= sums.get(claim.id, 0)
        countable[claim.id] = counts if counts > 0 else 0
        if claim.due_date < today and (counts := owed(claim, countable)) > 0:
            overdue += (claim,)
            arrears += counts
    return Standing(today, countable, overdue, arrears, sums is not None and None in sums)


def _held_sums(facts: CaseFacts) -> dict[int | None, int]:
    """What is held of each claim; under None, when the whole case is held."""
    sums: dict[int | None, int] = {}
    for hold in facts.holds:
        if hold.claim_id is not None or hold.service_id is None:
            amount = _ALL if hold.amount is None else hold.amount
            sums[hold.claim_id] = sums.get(hold.claim_id, 0) + amount
    return sums


def last_step(claim_id: int, facts: CaseFacts) -> StepFacts | None:
    """The last step taken that covers a claim: its progress. A claim that joined later has none."""
    for step in reversed(facts.steps):
        for covered in step.claims:
            if covered.claim_id == claim_id:
                return step
    return None


def told_is_paid(facts: CaseFacts, at: Standing, claim_id: int) -> bool:
    """Whether all is paid of a claim that a notice named, and what is left came on top of it since."""
    left = at.countable.get(claim_id, 0)
    return left > 0 and any(
        covered.claim_id == claim_id and covered.raised >= left for step in facts.steps for covered in step.claims
    )


def is_clear(facts: CaseFacts, at: Standing, rule: str, service: ServiceFacts | None = None) -> bool:
    """Whether arrears are cured by the policy's rule, for one service or the whole case.

    zero: nothing overdue, fees included. past_due: no principal overdue. latest_claim: only the newest one remains.
    """
    overdue = at.overdue if service is None else [claim for claim in at.overdue if concerns(claim, service)]
    if rule == "past_due":
        return not any(at.countable[claim.id] for claim in overdue)
    if rule == "latest_claim":
        concerned = [claim for claim in facts.claims if service is None or concerns(claim, service)]
        newest = max(concerned, key=lambda claim: (claim.due_date, claim.id), default=None)
        return all(newest is not None and claim.id == newest.id for claim in overdue)
    return not overdue


def has_opened(policy: Policy, facts: CaseFacts, at: Standing) -> bool:
    """Whether the arrears are old and large enough to be followed up, and not already cured by the policy's rule."""
    if not at.overdue or at.arrears < (policy.opens.arrears_min or 0):
        return False
    oldest = min([claim.due_date for claim in at.overdue])
    ripe = opening_day(facts.partner.calendar, policy, oldest) <= at.today
    return ripe and not is_clear(facts, at, policy.close_when)


def concerns(claim: ClaimFacts, service: ServiceFacts) -> bool:
    """Whether a claim is for a service at all; one without lines for any service is for every one."""
    if not claim.shares:
        return True
    for share in claim.shares:  # noqa: SIM110 - a generator takes twice as long
        if share.service_id == service.id:
            return True
    return False


def services_to_cut(
    claims: tuple[ClaimFacts, ...], facts: CaseFacts, policy: Policy, at: Standing
) -> tuple[ServiceFacts, ...]:
    """The services that these claims leave unpaid, that the policy is about and a driver reaches: never another one,
    none where somebody else lives by now, and none that the policy's own rule would give back at once."""
    unpaid = {share.service_id for claim in claims for share in claim.shares if share.amount > 0}
    return tuple(
        [
            service
            for service in facts.services
            if service.id in unpaid
            and service.kind in policy.services
            and service.controllable
            and not service.left_behind
            and not is_clear(facts, at, policy.restore_when, service)
        ]
    )
